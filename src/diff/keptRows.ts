/** Where the rows of a comparison are while the inputs are read: in the table as long as they fit, else on disk. */
import { AcsError } from '../io/error.js';
import { Spill } from './rowSpill.js';
import type { RowTable } from './rowTable.js';

export interface KeptRows {
  /** Takes the row `words[at …]`. */
  add(words: Int32Array, at: number): void;
  /**
   * Counts rows that every input shows alike and nobody sends. They count as if they were in the table: whether it is full
   * must not depend on which thread was faster.
   */
  drop(rows: number): void;
  readonly dropped: number;
  /** Awaits `use` once, or once per range of ids, with the table filled. */
  eachTable(use: () => Promise<void>): Promise<void>;
  /** Whether rows went to disk. */
  spilled(): boolean;
  close(): void;
}

/**
 * A fault of a temporary file, on its way through those who read an input: they would add the place at which they are to
 * an error of ours.
 */
function throughReaders(use: () => void): void {
  try {
    use();
  } catch (cause) {
    throw new Error('rows cannot be kept', { cause });
  }
}

/** The error behind what {@link KeptRows.add} and {@link KeptRows.drop} throw when it is not the row's fault. */
export function behindReaders(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof AcsError && !(error instanceof AcsError)
    ? error.cause
    : error;
}

/** `folder`: for temporary files. */
export function openRows(table: RowTable, tableMemory: number, folder: string | undefined): KeptRows {
  const words = table.rowWords;
  const rowBytes = words * 4 + 4 + 32;
  const rowLimit = Math.max(1, Math.floor(tableMemory / rowBytes));
  let spill: Spill | undefined;
  let dropped = 0;

  function bound(): void {
    if (spill !== undefined || table.size + dropped < rowLimit) return;
    throughReaders(() => {
      const opened = new Spill(words, folder);
      spill = opened;
      table.eachRow((block, offset) => opened.add(block, offset));
      table.clear();
    });
  }

  return {
    add(row, at) {
      if (spill !== undefined) {
        const opened = spill;
        throughReaders(() => opened.add(row, at));
        return;
      }
      table.add(row, at);
      bound();
    },
    drop(rows) {
      dropped += rows;
      bound();
    },
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
        (row, at) => table.add(row, at),
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
