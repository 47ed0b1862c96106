import { h, type JSX } from './vendor/preact.mjs';

/** Shapes, so that a state can be told without its colour. Each stands beside its word. */
const SHAPES = {
  running: 'M5 3.5v9l7.5-4.5z',
  paused: 'M4.5 3h2.5v10H4.5zM9 3h2.5v10H9z',
  done: 'M6.3 12.3 2.6 8.6l1.5-1.5 2.2 2.2 5.6-5.6 1.5 1.5z',
  failed: 'm4.4 2.9 3.6 3.6 3.6-3.6 1.5 1.5L9.5 8l3.6 3.6-1.5 1.5L8 9.5l-3.6 3.6-1.5-1.5L6.5 8 2.9 4.4z',
  cancelled:
    'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm0 2c1 0 1.9.3 2.6.9L4.4 10.6A4.5 4.5 0 0 1 8 3.5zm0 9c-1 0-1.9-.3-2.6-.9l6.2-6.2A4.5 4.5 0 0 1 8 12.5z',
  open: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8z',
  scheduled:
    'M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm0 2a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM7.2 5v3.6l2.6 1.6.8-1.3-1.8-1.1V5z',
  warning: 'M8 1.6 15 14H1zm-.9 4.6v4h1.8v-4zm0 4.9v1.6h1.8v-1.6z',
} as const;

export type Shape = keyof typeof SHAPES;

export function Icon({ shape }: { shape: Shape }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={SHAPES[shape]} />
    </svg>
  );
}
