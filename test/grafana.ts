import { z } from 'zod';

// What Grafana does with a dashboard before it asks Prometheus: it gives the variables their values.

const Variable = z.object({ name: z.string(), type: z.enum(['datasource', 'query']) });
const QueryVariable = Variable.extend({
  type: z.literal('query'),
  query: z.object({ query: z.string() }),
  multi: z.boolean(),
  includeAll: z.boolean(),
});

export const Dashboard = z.object({
  templating: z.object({ list: z.array(z.union([QueryVariable, Variable])) }),
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })) })),
});
export type Dashboard = z.infer<typeof Dashboard>;

/** Asks the HTTP API of Prometheus. */
type Ask = (path: string, query: Record<string, string>) => Promise<unknown>;

/** In seconds. */
export interface Interval {
  /** `timeInterval` of the data source */
  scrape: number;
  /** of the graph: from one of its points to the next */
  step: number;
}

/** Every query of the dashboard as Grafana sends it while all values of its variables are chosen. */
export async function queriesOf(dashboard: Dashboard, ask: Ask, { scrape, step }: Interval): Promise<string[]> {
  const values = new Map<string, string>([
    ['__interval', `${step}s`],
    ['__rate_interval', `${Math.max(step + scrape, 4 * scrape)}s`],
  ]);
  for (const variable of dashboard.templating.list) {
    if ('query' in variable) values.set(variable.name, await chosen(variable, ask));
  }
  return dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => filledIn(expr, values)));
}

async function chosen(variable: z.infer<typeof QueryVariable>, ask: Ask): Promise<string> {
  const [, metric = '', label = ''] = /^label_values\((.+), *(\w+)\)$/.exec(variable.query.query) ?? [];
  const found = z.array(z.string()).parse(await ask(`label/${label}/values`, { 'match[]': metric }));
  if (found.length === 0) throw new Error(`no value of the variable ${variable.name}: ${variable.query.query}`);
  // Of a variable that may have several values each is part of a regular expression, within a string of PromQL.
  const texts = found.map((value) => value.replace(/[$^*{}[\]+?.()|\\]/g, '\\\\$&'));
  return texts.length === 1 ? String(texts[0]) : `(${texts.join('|')})`;
}

/** @throws Error that names a variable that the dashboard does not have */
function filledIn(expr: string, values: Map<string, string>): string {
  return expr.replace(/\$(\w+)|\$\{(\w+)\}|\[\[(\w+)\]\]/g, (_, ...names: (string | undefined)[]) => {
    const name = names.slice(0, 3).find((one) => one !== undefined) ?? '';
    const value = values.get(name);
    if (value === undefined) throw new Error(`the dashboard has no variable ${name}: ${expr}`);
    return value;
  });
}
