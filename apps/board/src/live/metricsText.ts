/** One sample of Prometheus' text. */
export interface Sample {
  /** as they are written, which names the series */
  text: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of one metric in Prometheus' text. */
export function samplesOf(metrics: string, name: string): Sample[] {
  const lines = metrics.matchAll(new RegExp(`^${name}\\{([^}]*)\\} (\\S+)`, 'gm'));
  return [...lines].map(([, text = '', value]) => ({
    text,
    labels: Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', of = '']) => [label, of])),
    value: Number(value),
  }));
}

/** Those of a histogram, one of each bucket. */
export const bucketsOf = (metrics: string, name: string): Sample[] => samplesOf(metrics, `${name}_bucket`);

/** How much each series has grown. One that was not there has counted from 0, and so has one that is smaller now. */
export function growthOf(before: Sample[], now: Sample[]): Sample[] {
  const former = new Map(before.map(({ text, value }) => [text, value]));
  return now.map((sample) => {
    const was = former.get(sample.text) ?? 0;
    return { ...sample, value: sample.value >= was ? sample.value - was : sample.value };
  });
}
