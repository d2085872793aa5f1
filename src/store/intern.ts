/**
 * Row numbers for what repeats: parties, stakeholder sets, party layouts, templates, packages, synchronizers. Look-ups
 * are answered from memory; new rows are written at once, inside the caller's transaction. After a rollback the caches
 * may know rows that are gone: throw the interner away.
 */
import type { BlobView } from '../contract/blob.js';
import { readTemplateSegments } from '../contract/blob.js';
import { templateField } from '../contract/eventPieces.js';
import { AcsError } from '../io/error.js';
import { readIdentifier, type TemplateId } from '../snapshot/eventValues.js';
import { Interner } from '../wire/interner.js';
import { lengthDelimited } from '../wire/lengthDelimited.js';
import { WireReader } from '../wire/reader.js';
import type { Db } from './open.js';

/** Beyond this many cached sets or layouts the cache starts anew. */
const CACHE_LIMIT = 200_000;

export interface TemplateRow extends TemplateId {
  packageName: string;
  /** Field 4 of a created event. */
  field: Buffer;
}

export interface LayoutRow {
  pk: number;
  set: number;
  bytes: Buffer;
  /** A witness that is no stakeholder. */
  outside: boolean;
  /** Its signatories or observers are not those of the set. */
  contradicts: boolean;
  /** See {@link StoreInterner.layoutFull}. */
  full?: LayoutRow;
}

export interface StoreInterner {
  synchronizer(id: string): number;
  synchronizerAt(buf: Buffer, start: number, end: number): number;
  synchronizerId(pk: number): string;
  /** Field 2 of ActiveContract. */
  synchronizerField(pk: number): Buffer;
  party(id: string): number;
  /** The stakeholder set of a contract. */
  set(blob: BlobView): number;
  /** A set from party ids, for events without a blob. */
  setOf(signatories: readonly string[], observers: readonly string[]): number;
  layout(buf: Buffer, start: number, end: number, set: number): LayoutRow;
  /** The layout an export without party filter has: every stakeholder is a witness, in ascending order. */
  layoutFull(layout: LayoutRow): LayoutRow;
  layoutRow(pk: number): LayoutRow;
  template(blob: BlobView): number;
  templateAt(buf: Buffer, start: number, end: number, packageName: string): number;
  templateRow(pk: number): TemplateRow;
  package(buf: Buffer, start: number, end: number): number;
  /** Field 15 of a created event. */
  packageField(pk: number): Buffer;
  packageId(pk: number): string;
}

export function storeInterner(db: Db): StoreInterner {
  const find = {
    sync: db.prepare('SELECT sync_pk FROM synchronizer WHERE sync_id = ?').pluck(),
    party: db.prepare('SELECT party_pk FROM party WHERE party = ?').pluck(),
    set: db.prepare('SELECT set_pk FROM party_set WHERE members = ?').pluck(),
    layouts: db.prepare('SELECT layout_pk, bytes FROM layout WHERE set_pk = ?').raw(),
    layout: db.prepare('SELECT set_pk, bytes FROM layout WHERE layout_pk = ?').raw(),
    template: db
      .prepare(
        'SELECT template_pk FROM template WHERE entity_name = ? AND module_name = ? AND package_id = ? AND package_name = ?',
      )
      .pluck(),
    templateRow: db
      .prepare(
        'SELECT package_id, package_name, module_name, entity_name FROM template WHERE template_pk = ?',
      )
      .raw(),
    package: db.prepare('SELECT package_pk FROM package WHERE package_id = ?').pluck(),
    packageId: db.prepare('SELECT package_id FROM package WHERE package_pk = ?').pluck(),
    members: db
      .prepare(
        'SELECT p.party, m.role FROM party_set_member m JOIN party p USING(party_pk) WHERE m.set_pk = ?',
      )
      .raw(),
    syncId: db.prepare('SELECT sync_id FROM synchronizer WHERE sync_pk = ?').pluck(),
  };
  const insert = db.readonly
    ? undefined
    : {
        sync: db.prepare('INSERT INTO synchronizer(sync_id) VALUES (?)'),
        party: db.prepare('INSERT INTO party(party) VALUES (?)'),
        set: db.prepare('INSERT INTO party_set(members) VALUES (?)'),
        member: db.prepare('INSERT INTO party_set_member(party_pk, set_pk, role) VALUES (?, ?, ?)'),
        layout: db.prepare('INSERT INTO layout(set_pk, bytes) VALUES (?, ?)'),
        template: db.prepare(
          'INSERT INTO template(entity_name, module_name, package_id, package_name) VALUES (?, ?, ?, ?)',
        ),
        package: db.prepare('INSERT INTO package(package_id) VALUES (?)'),
      };

  function writer(): NonNullable<typeof insert> {
    if (insert === undefined) throw new AcsError('INTERNAL', 'a read-only store cannot take new rows');
    return insert;
  }

  const texts = new Interner(1 << 20);
  const partyPks: number[] = [];
  const syncPks: number[] = [];
  const syncPkOf = new Map<string, number>();
  const packagePks: number[] = [];
  const templatesByBytes = new Interner(1 << 16);
  const templatePks = new Map<string, number>();
  const synchronizers = new Map<number, { id: string; field: Buffer }>();
  const templates = new Map<number, TemplateRow>();
  const packages = new Map<number, { id: string; field: Buffer }>();
  let sets = new Map<string, number>();
  let smallSets = new Map<number, number>();
  let lastLayout: (LayoutRow | undefined)[] = [];
  let layouts = new Map<number, LayoutRow>();
  const signatories: number[] = [];
  const observers: number[] = [];

  function partyPk(id: string): number {
    const known = find.party.get(id) as number | undefined;
    return known ?? Number(writer().party.run(id).lastInsertRowid);
  }

  function partyAt(buf: Buffer, start: number, end: number): number {
    const text = texts.id(buf, start, end);
    if (text < 0) return partyPk(buf.toString('latin1', start, end));
    let pk = partyPks[text];
    if (pk === undefined) {
      pk = partyPk(texts.text(text));
      partyPks[text] = pk;
    }
    return pk;
  }

  /** Sets of up to three parties among the first 131 071, as one number; others as text. */
  function setPk(sigs: number[], obs: number[]): number {
    const n = sigs.length + obs.length;
    if (n > 3) return setPkOf(sigs, obs);
    let key = 0;
    for (let i = 0; i < n; i++) {
      const party = i < sigs.length ? sigs[i] : obs[i - sigs.length];
      if (party >= 131072) return setPkOf(sigs, obs);
      key = key * 131072 + party;
    }
    key = key * 4 + sigs.length;
    let pk = smallSets.get(key);
    if (pk === undefined) {
      pk = setPkOf(sigs, obs);
      if (smallSets.size >= CACHE_LIMIT) smallSets = new Map();
      smallSets.set(key, pk);
    }
    return pk;
  }

  function setPkOf(sigs: number[], obs: number[]): number {
    const key = `${sigs.join(',')}|${obs.join(',')}`;
    const cached = sets.get(key);
    if (cached !== undefined) return cached;
    let pk = find.set.get(key) as number | undefined;
    if (pk === undefined) {
      pk = Number(writer().set.run(key).lastInsertRowid);
      for (const party of sigs) writer().member.run(party, pk, 1);
      for (const party of obs) if (!sigs.includes(party)) writer().member.run(party, pk, 2);
    }
    if (sets.size >= CACHE_LIMIT) sets = new Map();
    sets.set(key, pk);
    return pk;
  }

  const ascending = (a: number, b: number): number => a - b;

  const self: StoreInterner = {
    synchronizer(id) {
      let pk = syncPkOf.get(id);
      if (pk === undefined) {
        const bytes = Buffer.from(id);
        pk = self.synchronizerAt(bytes, 0, bytes.length);
        syncPkOf.set(id, pk);
      }
      return pk;
    },
    synchronizerAt(buf, start, end) {
      const text = texts.id(buf, start, end);
      const id = text < 0 ? buf.toString('utf8', start, end) : undefined;
      const known = text < 0 ? undefined : syncPks[text];
      if (known !== undefined) return known;
      const name = id ?? texts.text(text);
      const pk =
        (find.sync.get(name) as number | undefined) ?? Number(writer().sync.run(name).lastInsertRowid);
      if (text >= 0) syncPks[text] = pk;
      return pk;
    },
    synchronizerId: (pk) => syncEntry(pk).id,
    synchronizerField: (pk) => syncEntry(pk).field,
    party: partyPk,
    set(blob) {
      signatories.length = 0;
      observers.length = 0;
      const { buf, signatoryBorders, observerBorders, maintainerBorders } = blob;
      for (let i = 0; i < signatoryBorders.length; i += 2)
        signatories.push(partyAt(buf, signatoryBorders[i], signatoryBorders[i + 1]));
      for (let i = 0; i < maintainerBorders.length; i += 2) {
        const pk = partyAt(buf, maintainerBorders[i], maintainerBorders[i + 1]);
        if (!signatories.includes(pk)) signatories.push(pk);
      }
      for (let i = 0; i < observerBorders.length; i += 2)
        observers.push(partyAt(buf, observerBorders[i], observerBorders[i + 1]));
      if (signatories.length > 1) signatories.sort(ascending);
      if (observers.length > 1) observers.sort(ascending);
      return setPk(signatories, observers);
    },
    setOf(sigs, obs) {
      const s = [...new Set(sigs.map(partyPk))].sort(ascending);
      const o = [...new Set(obs.map(partyPk))].filter((pk) => !s.includes(pk)).sort(ascending);
      return setPk(s, o);
    },
    layout(buf, start, end, set) {
      const last = lastLayout[set];
      if (
        last !== undefined &&
        last.bytes.length === end - start &&
        buf.compare(last.bytes, 0, last.bytes.length, start, end) === 0
      )
        return last;
      const bytes = Buffer.from(buf.subarray(start, end));
      for (const [pk, stored] of find.layouts.iterate(set) as IterableIterator<[number, Buffer]>) {
        if (stored.equals(bytes)) {
          return keepLayout(pk, set, bytes);
        }
      }
      return keepLayout(Number(writer().layout.run(set, bytes).lastInsertRowid), set, bytes);
    },
    layoutFull(layout) {
      if (layout.full === undefined) {
        const bytes = withAllWitnesses(layout.bytes);
        layout.full = bytes.equals(layout.bytes) ? layout : self.layout(bytes, 0, bytes.length, layout.set);
      }
      // The full layout is the last one used of this set, but the events to come look like this one.
      lastLayout[layout.set] = layout;
      return layout.full;
    },
    layoutRow(pk) {
      const known = layouts.get(pk);
      if (known !== undefined) return known;
      const row = find.layout.get(pk) as [number, Buffer] | undefined;
      if (row === undefined) throw missing('layout', pk);
      return keepLayout(pk, row[0], row[1]);
    },
    template(blob) {
      const at = templatesByBytes.id(blob.buf, blob.templateStart, blob.templateEnd);
      const key = `${at}:${blob.buf.toString('latin1', blob.packageNameStart, blob.packageNameEnd)}`;
      const known = at < 0 ? undefined : templatePks.get(key);
      if (known !== undefined) return known;
      const id = readTemplateSegments(new WireReader(blob.buf, blob.templateStart, blob.templateEnd));
      const pk = templatePk(id, blob.packageName);
      if (at >= 0) templatePks.set(key, pk);
      return pk;
    },
    templateAt(buf, start, end, packageName) {
      const at = templatesByBytes.id(buf, start, end);
      const key = `e${at}:${packageName}`;
      const known = at < 0 ? undefined : templatePks.get(key);
      if (known !== undefined) return known;
      const pk = templatePk(readIdentifier(new WireReader(buf, start, end)), packageName);
      if (at >= 0) templatePks.set(key, pk);
      return pk;
    },
    templateRow(pk) {
      const known = templates.get(pk);
      if (known !== undefined) return known;
      const row = find.templateRow.get(pk) as [string, string, string, string] | undefined;
      if (row === undefined) throw missing('template', pk);
      const id = { packageId: row[0], moduleName: row[2], entityName: row[3] };
      const entry = { ...id, packageName: row[1], field: templateField(id) };
      templates.set(pk, entry);
      return entry;
    },
    package(buf, start, end) {
      const text = texts.id(buf, start, end);
      const name = text < 0 ? buf.toString('utf8', start, end) : undefined;
      const known = text < 0 ? undefined : packagePks[text];
      if (known !== undefined) return known;
      const id = name ?? texts.text(text);
      const pk =
        (find.package.get(id) as number | undefined) ?? Number(writer().package.run(id).lastInsertRowid);
      if (text >= 0) packagePks[text] = pk;
      return pk;
    },
    packageField: (pk) => packageEntry(pk).field,
    packageId: (pk) => packageEntry(pk).id,
  };

  function keepLayout(pk: number, set: number, bytes: Buffer): LayoutRow {
    if (layouts.size >= CACHE_LIMIT) {
      layouts = new Map();
      lastLayout = [];
    }
    const parties = layoutParties(bytes);
    const stakeholders = new Set([...parties.signatories, ...parties.observers]);
    const row: LayoutRow = {
      pk,
      set,
      bytes,
      outside: parties.witnesses.some((party) => !stakeholders.has(party)),
      contradicts: contradicts(set, parties),
    };
    layouts.set(pk, row);
    lastLayout[set] = row;
    return row;
  }

  function contradicts(set: number, parties: { signatories: string[]; observers: string[] }): boolean {
    const members = find.members.all(set) as [string, number][];
    const roles = new Map(members);
    return (
      roles.size !== parties.signatories.length + parties.observers.length ||
      parties.signatories.some((party) => roles.get(party) !== 1) ||
      parties.observers.some((party) => roles.get(party) !== 2)
    );
  }

  function templatePk(id: TemplateId, packageName: string): number {
    const values = [id.entityName, id.moduleName, id.packageId, packageName];
    return (
      (find.template.get(...values) as number | undefined) ??
      Number(writer().template.run(...values).lastInsertRowid)
    );
  }

  function syncEntry(pk: number): { id: string; field: Buffer } {
    let entry = synchronizers.get(pk);
    if (entry === undefined) {
      const id = find.syncId.get(pk) as string | undefined;
      if (id === undefined) throw missing('synchronizer', pk);
      entry = { id, field: lengthDelimited(2, id) };
      synchronizers.set(pk, entry);
    }
    return entry;
  }

  function packageEntry(pk: number): { id: string; field: Buffer } {
    let entry = packages.get(pk);
    if (entry === undefined) {
      const id = find.packageId.get(pk) as string | undefined;
      if (id === undefined) throw missing('package', pk);
      entry = { id, field: lengthDelimited(15, id) };
      packages.set(pk, entry);
    }
    return entry;
  }

  return self;
}

/** The party lists inside a layout. */
export function layoutParties(bytes: Buffer): {
  witnesses: string[];
  signatories: string[];
  observers: string[];
} {
  const lists: Record<number, string[]> = { 9: [], 10: [], 11: [] };
  const r = new WireReader(bytes);
  while (r.pos < r.end) {
    const tag = r.tag();
    lists[tag >>> 3]?.push(r.string());
  }
  return { witnesses: lists[9], signatories: lists[10], observers: lists[11] };
}

function withAllWitnesses(bytes: Buffer): Buffer {
  const { signatories, observers } = layoutParties(bytes);
  const stakeholders = [...new Set([...signatories, ...observers])].sort();
  const r = new WireReader(bytes);
  let rest = 0;
  while (r.pos < r.end) {
    rest = r.pos;
    if (r.tag() >>> 3 !== 9) break;
    r.bytes();
    rest = r.pos;
  }
  return Buffer.concat([...stakeholders.map((party) => lengthDelimited(9, party)), bytes.subarray(rest)]);
}

function missing(what: string, pk: number): AcsError {
  return new AcsError('STORE_CORRUPT', `the store refers to a ${what} that it does not hold`, {
    found: `${what} ${pk}`,
    hint: 'run `acs store check`',
  });
}
