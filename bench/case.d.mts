/** The shapes of bench cases: a file in bench/cases exports `cases`, an array of {@link Case}. */
import type { GenerateOptions } from './generate.mjs';

export type InputOptions = GenerateOptions & { plain?: boolean; manifest?: boolean; level?: number };

export interface CaseContext {
  /** Contracts of the run, e.g. 400000. */
  count: number;
  /** The generated files by the names `inputs` gives them. */
  inputs: Record<string, string>;
  /** An empty folder that is removed after the case. */
  scratch: string;
  /** The command line of `acs` with these words. */
  acs(...words: string[]): [string, ...string[]];
  /** A Node script of this repository (path from its root) with arguments. */
  node(script: string, ...args: string[]): [string, ...string[]];
}

export interface Case {
  /** Unique; cases are chosen with `--only` by a part of it. */
  name: string;
  /** Files to generate (cached in bench/data). The rivals run on `file`, the first one if there is none. */
  inputs(count: number): Record<string, InputOptions>;
  /** Work done once before the measured runs. */
  prepare?(context: CaseContext): Promise<void>;
  /** What is measured, in its own process. */
  command(context: CaseContext): [string, ...string[]];
  /** Exit statuses that count as success; default 0. */
  okStatus?: readonly number[];
  /** Names of the rivals or cases it is compared with (same input options). */
  against?: readonly string[];
  /** What issue or docs promise: wall time at most `ratio` times that of `against`. */
  target?: { against: string; ratio: number };
  /** Promised rate: contracts (of one input file) a second. */
  minPerSecond?: number;
  /** The case does not go through `count` contracts, so a rate would say nothing. */
  noRate?: boolean;
  /** Peak memory promised. */
  maxRssMb?: number;
  /** Left out above this count, e.g. because memory grows by design. */
  maxCount?: number;
}

/** Medians over the rounds. */
export interface Measured {
  name: string;
  wallSeconds: number;
  cpuSeconds?: number;
  peakRssMb?: number;
}

export interface Result extends Measured, Pick<Case, 'target' | 'minPerSecond' | 'maxRssMb'> {
  perSecond?: number;
  ratios: Record<string, number>;
  cpuRatios: Record<string, number>;
  /** `time`, `rate`, `memory`. */
  missed: string[];
}

export interface SizeResults {
  count: number;
  results: Result[];
  rivals: Measured[];
  skipped: { name: string; why: string }[];
}

export interface Rival {
  name: string;
  /** A command that must succeed, or the rival is skipped. */
  needs?: [string, ...string[]];
  command(where: { file: string; scratch: string }): [string, ...string[]];
}
