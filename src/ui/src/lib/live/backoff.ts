/**
 * How long to wait before try `n` (0 first), in milliseconds: doubling from `first` up to `most`,
 * spread by `spread` (0 to 1) so that many browsers don't return in the same instant.
 */
export function backoff(n: number, first: number, most: number, spread: number): number {
  const full = Math.min(most, first * 2 ** Math.min(n, 16));
  return Math.round(full * (0.75 + 0.5 * spread));
}
