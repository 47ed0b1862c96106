import type { ComponentChildren } from 'preact';
import { ago, exactTime } from './formats.ts';
import { Icon, type Shape } from './icons.tsx';
import { current } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

// Small parts that several sections share.

export const now = (): number => current().overview?.at ?? Date.now() / 1000;

/** A time relative to now, with the exact one in its title; `never` if it has not come. */
export function Time({ at, never = '–' }: { at: number; never?: string }): JSX.Element {
  if (at <= 0) return <span>{never}</span>;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={exactTime(at)}>
      {ago(at, now())}
    </time>
  );
}

/** A state by its word and its shape. */
export function Badge({
  shape,
  tone,
  children,
}: {
  shape: Shape;
  tone: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <span class={`badge ${tone}`}>
      <Icon shape={shape} />
      {children}
    </span>
  );
}

interface SectionProps {
  title: string;
  /** beside the title */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

export function Section({ title, aside, children }: SectionProps): JSX.Element {
  const id = title.toLowerCase().replace(/\W+/g, '-');
  return (
    <section aria-labelledby={id}>
      <div class="title">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A number with its name, in a list of such. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export const Empty = ({ children }: { children: ComponentChildren }): JSX.Element => <p class="empty">{children}</p>;

/** A text in which commands stand in `…`. */
export function Told({ text }: { text: string }): JSX.Element {
  return <span>{text.split('`').map((part, i) => (i % 2 === 0 ? part : <code key={part}>{part}</code>))}</span>;
}
