import { describe, expect, it } from 'vitest';
import type { Case, Measured } from '../../bench/case.d.mts';
import { judge, resultTable } from '../../bench/resultTable.mjs';

const bench = (promises: Partial<Case>): Case => ({
  name: 'a case',
  inputs: () => ({}),
  command: () => ['true'],
  ...promises,
});
const own: Measured = { name: 'a case', wallSeconds: 4, cpuSeconds: 6, peakRssMb: 120 };
const others = new Map([['a | b', { name: 'a | b', wallSeconds: 8, cpuSeconds: 3 }]]);

describe('the verdict on a case', () => {
  it('holds a promised rate against the contracts of a second', () => {
    const kept = judge(bench({ minPerSecond: 100_000 }), own, others, 400_000);
    expect(kept).toMatchObject({ perSecond: 100_000, missed: [], ratios: { 'a | b': 0.5 } });
    expect(judge(bench({ minPerSecond: 100_001 }), own, others, 400_000).missed).toEqual(['rate']);
  });

  it('holds ratio and memory against theirs', () => {
    const strict = bench({ target: { against: 'a | b', ratio: 0.4 }, maxRssMb: 100 });
    expect(judge(strict, own, others, 400_000).missed).toEqual(['time', 'memory']);
  });

  it('leaves time and rate alone for few contracts', () => {
    const strict = bench({ target: { against: 'a | b', ratio: 0.4 }, minPerSecond: 1e9, maxRssMb: 100 });
    expect(judge(strict, own, others, 40_000).missed).toEqual(['memory']);
  });
});

describe('the table', () => {
  it('shows rates, and none where a case has none', () => {
    const rows = [
      judge(bench({ minPerSecond: 150_000 }), own, others, 400_000),
      judge(bench({ noRate: true }), own, new Map(), 400_000),
    ];
    const text = resultTable({ count: 400_000, results: rows, rivals: [], skipped: [] });
    expect(text.split('\n').slice(4)).toEqual([
      '| a case | 4.00 | 6.00 | 120 | 100 000 | 0.50 (2.00) × a \\| b | ≥ 150 000/s **missed: rate** |',
      '| a case | 4.00 | 6.00 | 120 |  |  |  |',
    ]);
  });
});
