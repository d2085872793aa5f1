/** Where the rows of a comparison are while the inputs are read: in the table as long as they fit, else on disk. */
import type { Claims } from './claims.js';
import type { RowTable } from './rowTable.js';
import { Spill } from './spill.js';

export interface KeptRows {
  /** Takes the row `words[at …]` of an input; `slot` is that of its claim, or -1. */
  add(words: Int32Array, at: number, input: number, slot: number): void;
  /** Counts rows that every input shows alike and nobody sends; they count as if they were in the table. */
  drop(rows: number): void;
  /** Says that no thread uses the claims any more: what they know goes to the rows. */
  settle(): void;
  /** True when the claims were not enough to tell what the inputs show; asked after {@link settle}. */
  unclear(): boolean;
  readonly dropped: number;
  /** Awaits `use` once, or once per range of ids, with the table filled. */
  eachTable(use: () => Promise<void>): Promise<void>;
  /** Whether rows went to disk. */
  spilled(): boolean;
  close(): void;
}

/** Slot, row, input. */
const CLAIM_WORDS = 3;

/** `folder`: for temporary files. */
export function openRows(
  table: RowTable,
  tableMemory: number,
  folder: string | undefined,
  claims: Claims | undefined,
): KeptRows {
  const words = table.rowWords;
  const rowBytes = words * 4 + 4 + 32;
  const rowLimit = Math.max(1, Math.floor(tableMemory / rowBytes));
  let spill: Spill | undefined;
  let dropped = 0;
  let claimed = new Int32Array(CLAIM_WORDS << 10);
  let claimedWords = 0;
  let settled = claims === undefined;
  let overlapping = false;

  function note(slot: number, row: number, input: number): void {
    if (claimedWords === claimed.length) {
      const grown = new Int32Array(2 * claimed.length);
      grown.set(claimed);
      claimed = grown;
    }
    claimed[claimedWords++] = slot;
    claimed[claimedWords++] = row;
    claimed[claimedWords++] = input;
  }

  /** Rows on disk cannot be found again by their claims: those have to be settled first. */
  function bound(): void {
    if (spill !== undefined || table.size + dropped < rowLimit) return;
    if (!settled) {
      claims?.close();
      return;
    }
    const opened = new Spill(words, folder);
    spill = opened;
    table.eachRow((block, offset) => opened.add(block, offset));
    table.clear();
  }

  return {
    add(row, at, input, slot) {
      if (spill !== undefined) {
        spill.add(row, at);
        return;
      }
      const added = table.add(row, at);
      if (slot >= 0) note(slot, added, input);
      bound();
    },
    drop(rows) {
      dropped += rows;
      bound();
    },
    settle() {
      if (settled || claims === undefined) return;
      settled = true;
      for (let i = 0; i < claimedWords; i += CLAIM_WORDS) {
        if (!table.show(claimed[i + 1]!, claims.inputsOf(claimed[i]!), claimed[i + 2]!)) overlapping = true;
      }
      claimed = new Int32Array(0);
      claimedWords = 0;
      if (table.hasTwice()) overlapping = true;
      bound();
    },
    unclear: () => overlapping || claims?.ambiguous === true,
    get dropped() {
      return dropped;
    },
    async eachTable(use) {
      if (spill === undefined) {
        await use();
        return;
      }
      await spill.drain(
        (rows) => rows <= rowLimit,
        (row, at) => void table.add(row, at),
        async () => {
          await use();
          table.clear();
        },
      );
    },
    spilled: () => spill !== undefined,
    close: () => spill?.close(),
  };
}
