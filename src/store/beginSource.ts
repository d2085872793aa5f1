/** A source without a snapshot: its history begins at an offset. */
import { AcsError } from '../io/error.js';
import { unfinishedImport } from './imports.js';
import type { Db } from './open.js';
import { createSource, findSource, type Source } from './source.js';
import { inTransaction, nowMicros } from './transaction.js';

/** An empty base: the source's history begins at `offset`, with nothing active. */
export function beginSource(db: Db, name: string, offset: bigint): Source {
  return inTransaction(db, () => {
    const source = findSource(db, name) ?? createSource(db, name);
    if (unfinishedImport(db, source) !== undefined) {
      throw new AcsError('SOURCE_NO_BASE', 'a load into this source was interrupted', {
        hint: 'run the same `acs store load` again first',
      });
    }
    db.prepare('UPDATE source SET base_offset = ?, head_offset = ? WHERE source_pk = ?').run(
      offset,
      offset,
      source.pk,
    );
    db.prepare(
      "INSERT INTO import(source_pk, kind, at_offset, status, started_at, finished_at) VALUES (?, 'begin', ?, 'complete', ?, ?)",
    ).run(source.pk, offset, nowMicros(), nowMicros());
    return { ...source, base: offset, head: offset };
  });
}
