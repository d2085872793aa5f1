/** Collecting findings: one per code, with an exact count and a few examples. */
import { FINDING_EXAMPLES } from './sourceContract.js';

export interface Finding<Code extends string> {
  readonly code: Code;
  readonly message: string;
  readonly count: number;
  readonly examples: readonly string[];
}

export interface FindingCollector<Code extends string> {
  /** The first message of a code stays. */
  add(code: Code, message: string, example?: string, count?: number): void;
  has(code: Code): boolean;
  /** Whether an example would be kept. */
  wants(code: Code): boolean;
  /** In the order of first occurrence. */
  list(): Finding<Code>[];
}

export function findingCollector<Code extends string>(): FindingCollector<Code> {
  const byCode = new Map<Code, { message: string; count: number; examples: string[] }>();
  return {
    add(code, message, example, count = 1) {
      let found = byCode.get(code);
      if (found === undefined) {
        found = { message, count: 0, examples: [] };
        byCode.set(code, found);
      }
      found.count += count;
      if (example !== undefined && found.examples.length < FINDING_EXAMPLES) found.examples.push(example);
    },
    has: (code) => byCode.has(code),
    wants: (code) => (byCode.get(code)?.examples.length ?? 0) < FINDING_EXAMPLES,
    list: () => [...byCode].map(([code, found]) => ({ code, ...found })),
  };
}
