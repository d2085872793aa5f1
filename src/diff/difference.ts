/** What a comparison tells of one contract. */
import type { DiffClass, DiffState } from './classes.js';
import type { ContentField } from './contentFields.js';

export interface PairDifference {
  /** Positions of the two inputs, the smaller first. */
  left: number;
  right: number;
  class: DiffClass;
  fields: readonly ContentField[];
  also: readonly DiffClass[];
}

/** A contract and what the inputs show of it. */
export interface ComparedContract {
  /** Lower-case hex. */
  contractId: string;
  /** `package:Module:Entity`; undefined when no input shows the content. */
  template: string | undefined;
  packageName: string | undefined;
  /** Ascending; of every input together when they differ. Undefined when no input shows them. */
  stakeholders: readonly string[] | undefined;
  signatories: readonly string[] | undefined;
  /** Microseconds since the epoch. */
  createdAt: bigint | undefined;
  /** One per input that has to show the contract or does; in the order of the inputs. */
  states: readonly DiffState[];
  /** True when inputs name different packages to represent the contract; no difference of the contract itself. */
  representativeDiffers: boolean;
}

/** One contract that is not the same everywhere it has to be. */
export interface Difference extends ComparedContract {
  /** The first of {@link classes}. */
  class: DiffClass;
  /** Every class found between two inputs, in order of precedence. */
  classes: readonly DiffClass[];
  /** Content fields that differ between two inputs. */
  fields: readonly ContentField[];
  /** The pairs of inputs that differ. */
  pairs: readonly PairDifference[];
}
