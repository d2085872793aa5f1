/** Exact size statistics in little memory: counts per size, small sizes in an array, the rare large ones in a map. */

const SMALL = 1 << 16;

export interface SizeSummary {
  min: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
  total: number;
}

export interface SizeTally {
  /** Adds so many of this size; default 1. */
  add(size: number, times?: number): void;
  /** Undefined when nothing was added. */
  summary(): SizeSummary | undefined;
}

export function sizeTally(): SizeTally {
  const small = new Float64Array(SMALL);
  const large = new Map<number, number>();
  let count = 0;
  let total = 0;
  let largestSmall = -1;
  return {
    add(size, times = 1) {
      count += times;
      total += size * times;
      if (size < SMALL) {
        small[size] += times;
        if (size > largestSmall) largestSmall = size;
      }
      // Sizes from 64 kB on are kept to 3 % to bound the map.
      else large.set(coarse(size), (large.get(coarse(size)) ?? 0) + times);
    },
    summary() {
      if (count === 0) return undefined;
      const sizes: [number, number][] = [];
      for (let i = 0; i <= largestSmall; i++) if (small[i] > 0) sizes.push([i, small[i]]);
      sizes.push(...[...large].sort(([a], [b]) => a - b));
      const at = (share: number): number => {
        let rest = Math.ceil(share * count);
        for (const [size, n] of sizes) {
          rest -= n;
          if (rest <= 0) return size;
        }
        return sizes[sizes.length - 1][0];
      };
      return {
        min: sizes[0][0],
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        max: sizes[sizes.length - 1][0],
        total,
      };
    },
  };
}

function coarse(size: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(size)) - 5);
  return Math.floor(size / step) * step;
}
