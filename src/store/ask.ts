/** Questions about one source at one offset: which contracts are active, how many, what is in flight. */
import { AcsError } from '../io/error.js';
import { exact } from './exact.js';
import { fullName } from './names.js';
import type { Db } from './open.js';
import { offsetWithin, type ReadySource, readySource } from './source.js';

export interface AskFilter {
  /** Ledger offset, inclusive; default the head. */
  offset?: bigint | undefined;
  /** Contracts with one of these stakeholders: full ids or unambiguous prefixes. */
  parties?: readonly string[] | undefined;
  /** `Entity`, `Module:Entity`, `package-id:Module:Entity` or `#package-name:Module:Entity`. */
  templates?: readonly string[] | undefined;
  synchronizers?: readonly string[] | undefined;
  /** Answer although the base was filtered by other parties; the answer is then marked partial. */
  allowPartial?: boolean | undefined;
}

/** A resolved question. */
export interface Question {
  source: ReadySource;
  offset: bigint;
  /** Full ids of the parties asked for; undefined: no filter. */
  partyIds: readonly string[] | undefined;
  /** Row numbers; undefined: no filter. An unknown name gives an empty list. */
  parties: number[] | undefined;
  templates: number[] | undefined;
  synchronizers: number[] | undefined;
  /** Why the answer may lack contracts; undefined when it is complete. */
  partial: string | undefined;
}

export interface ActiveRow {
  contractId: string;
  synchronizer: string;
  reassignmentCounter: bigint;
  /** Offset of the activation; that of the base for contracts that came with it. */
  since: bigint;
  packageId: string;
  packageName: string;
  moduleName: string;
  entityName: string;
  /** Microseconds since the epoch. */
  createdAt: bigint | undefined;
  signatories: string[];
  observers: string[];
}

export function resolveQuestion(db: Db, sourceName: string | undefined, filter: AskFilter): Question {
  const source = readySource(db, sourceName);
  const parties = given(filter.parties)?.map((party) => fullName(db, 'party', party));
  const synchronizers = given(filter.synchronizers)?.map((id) => fullName(db, 'synchronizer', id));
  return {
    source,
    offset: offsetWithin(source, filter.offset),
    partyIds: parties,
    parties: parties?.flatMap((party) => pluck(db, 'SELECT party_pk FROM party WHERE party = ?', party)),
    templates: given(filter.templates)?.flatMap((template) => templatePks(db, template)),
    synchronizers: synchronizers?.flatMap((id) =>
      pluck(db, 'SELECT sync_pk FROM synchronizer WHERE sync_id = ?', id),
    ),
    partial: partiality(source, { ...filter, parties }),
  };
}

function given<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function pluck(db: Db, sql: string, value: string): number[] {
  return db.prepare(sql).pluck().all(value) as number[];
}

function partiality(source: ReadySource, filter: AskFilter): string | undefined {
  if (source.filter === undefined) return undefined;
  const asked = given(filter.parties);
  const known = new Set(source.filter);
  const outside = asked?.filter((party) => !known.has(party)) ?? [];
  if (asked !== undefined && outside.length === 0) return undefined;
  if (outside.length > 0 && filter.allowPartial !== true) {
    throw new AcsError('PARTY_OUTSIDE_FILTER', 'the base of this source was filtered by other parties', {
      expected: source.filter.join(', '),
      found: outside.join(', '),
      hint: 'contracts of this party may be missing; --partial answers all the same',
      exitCode: 2,
    });
  }
  return `only contracts of ${source.filter.join(', ')} are in the store`;
}

const TEMPLATE_FORMS = 'Entity, Module:Entity, package-id:Module:Entity or #package-name:Module:Entity';

/** One that names its package is taken as it is, since a store need not have seen it; of the others one is meant that it has. */
function templatePks(db: Db, pattern: string): number[] {
  const parts = pattern.split(':');
  const [entity, module, scope] = [parts.pop(), parts.pop(), parts.join(':')];
  if (entity === undefined || entity === '' || module === '') {
    throw new AcsError('TEMPLATE_PATTERN', 'not a template', {
      expected: TEMPLATE_FORMS,
      found: pattern,
      exitCode: 2,
    });
  }
  const named = 'SELECT template_pk FROM template WHERE entity_name = ?';
  const base = `${named} AND module_name = ?`;
  const pks = (sql: string, ...values: string[]): number[] =>
    db
      .prepare(sql)
      .pluck()
      .all(...values) as number[];
  if (module !== undefined && scope !== '') {
    return scope.startsWith('#')
      ? pks(`${base} AND package_name = ?`, entity, module, scope.slice(1))
      : pks(`${base} AND package_id = ?`, entity, module, scope);
  }
  const found = module === undefined ? pks(named, entity) : pks(base, entity, module);
  if (found.length > 0) return found;
  throw new AcsError('NAME_NOT_FOUND', `no template in the store is called ${pattern}`, {
    expected: TEMPLATE_FORMS,
    hint: '`acs store at DB --count` lists the templates',
    exitCode: 2,
  });
}

/**
 * FROM and WHERE of a question, with `c` (contract), `a` (activation) and, when `withEvent`, `e` (its event). Numbers
 * are row numbers and stand in the text; the offset is bound as `:o`.
 */
export function questionSql(q: Question, joins: { contract?: boolean; event?: boolean } = {}): string {
  const where = [
    `a.source_pk = ${q.source.pk}`,
    'a.act_off <= :o',
    '(a.deact_off IS NULL OR a.deact_off > :o)',
  ];
  if (q.templates !== undefined) where.push(`a.template_pk IN (${q.templates.join(',')})`);
  if (q.synchronizers !== undefined) where.push(`a.sync_pk IN (${q.synchronizers.join(',')})`);
  let from: string;
  if (q.parties !== undefined) {
    from = `(SELECT DISTINCT set_pk FROM party_set_member WHERE party_pk IN (${q.parties.join(',')})) m
      CROSS JOIN contract c ON c.set_pk = m.set_pk CROSS JOIN activation a ON a.contract_pk = c.contract_pk`;
  } else if (joins.contract === true) {
    from = 'activation a CROSS JOIN contract c ON c.contract_pk = a.contract_pk';
  } else from = 'activation a';
  if (joins.event === true) from += ' CROSS JOIN event e ON e.event_pk = a.act_event';
  return `FROM ${from} WHERE ${where.join(' AND ')}`;
}

/** Active contracts, one per contract and synchronizer. */
export function countActive(db: Db, q: Question): number {
  return db
    .prepare(`SELECT count(*) ${questionSql(q)}`)
    .pluck()
    .get({ o: q.offset }) as number;
}

export interface ActiveCount {
  synchronizer: string;
  packageId: string;
  template: string;
  contracts: number;
}

/** Counts by synchronizer and template. */
export function countByTemplate(db: Db, q: Question): ActiveCount[] {
  return db
    .prepare(
      `SELECT y.sync_id AS synchronizer, t.package_id AS packageId, t.module_name || ':' || t.entity_name AS template, n AS contracts
       FROM (SELECT a.sync_pk AS sync, a.template_pk AS tpl, count(*) AS n ${questionSql(q)} GROUP BY 1, 2)
       JOIN synchronizer y ON y.sync_pk = sync LEFT JOIN template t ON t.template_pk = tpl
       ORDER BY 1, 3, 2`,
    )
    .all({ o: q.offset }) as ActiveCount[];
}

type Row = [
  id: string,
  sync: number,
  counter: number | string,
  since: number | string,
  template: number | null,
  createdAt: number | string | null,
  set: number | null,
];

/** The active contracts, in the order in which they became active. */
export function* activeRows(db: Db, q: Question): Generator<ActiveRow> {
  const describe = describer(db);
  // Texts and plain numbers: a Buffer or a big integer costs as much as the rest of its row.
  const rows = db
    .prepare(
      `SELECT lower(hex(c.contract_id)), a.sync_pk, ${exact('a.counter')}, ${exact('a.act_off')}, a.template_pk,
         ${exact('c.created_at')}, c.set_pk
       ${questionSql(q, { contract: true })} ORDER BY a.act_event`,
    )
    .raw()
    .iterate({ o: q.offset }) as IterableIterator<Row>;
  for (const row of rows) {
    const t = describe.template(row[4]);
    const parties = describe.set(row[6]);
    yield {
      contractId: row[0],
      synchronizer: describe.synchronizer(row[1]),
      reassignmentCounter: BigInt(row[2]),
      since: BigInt(row[3]),
      packageId: t.packageId,
      packageName: t.packageName,
      moduleName: t.moduleName,
      entityName: t.entityName,
      createdAt: row[5] === null ? undefined : BigInt(row[5]),
      signatories: parties.signatories,
      observers: parties.observers,
    };
  }
}

/** Names behind row numbers, remembered. */
export function describer(db: Db): {
  synchronizer(pk: bigint | number): string;
  template(pk: bigint | number | null): {
    packageId: string;
    packageName: string;
    moduleName: string;
    entityName: string;
  };
  set(pk: bigint | number | null): { signatories: string[]; observers: string[] };
} {
  const sync = db.prepare('SELECT sync_id FROM synchronizer WHERE sync_pk = ?').pluck();
  const template = db
    .prepare('SELECT package_id, package_name, module_name, entity_name FROM template WHERE template_pk = ?')
    .raw();
  const members = db
    .prepare(
      'SELECT p.party, m.role FROM party_set_member m JOIN party p USING(party_pk) WHERE m.set_pk = ? ORDER BY p.party',
    )
    .raw();
  const syncs = new Map<number, string>();
  const templates = new Map<
    number,
    { packageId: string; packageName: string; moduleName: string; entityName: string }
  >();
  let sets = new Map<number, { signatories: string[]; observers: string[] }>();
  return {
    synchronizer(pk) {
      const key = Number(pk);
      let id = syncs.get(key);
      if (id === undefined) {
        id = sync.get(key) as string;
        syncs.set(key, id);
      }
      return id;
    },
    template(pk) {
      const key = Number(pk ?? 0);
      let entry = templates.get(key);
      if (entry === undefined) {
        const row = (key === 0 ? undefined : template.get(key)) as
          | [string, string, string, string]
          | undefined;
        entry = {
          packageId: row?.[0] ?? '',
          packageName: row?.[1] ?? '',
          moduleName: row?.[2] ?? '',
          entityName: row?.[3] ?? '',
        };
        templates.set(key, entry);
      }
      return entry;
    },
    set(pk) {
      const key = Number(pk ?? 0);
      let entry = sets.get(key);
      if (entry === undefined) {
        entry = { signatories: [], observers: [] };
        for (const [party, role] of members.all(key) as [string, number][])
          (role === 1 ? entry.signatories : entry.observers).push(party);
        if (sets.size > 100_000) sets = new Map();
        sets.set(key, entry);
      }
      return entry;
    },
  };
}

/** A reassignment of which one half has not been seen at the offset (ledger-semantics spec, section 4). */
export interface InFlight {
  /** `unassigned`: left its source, not yet on its target. `assigned`: on its target, source side not yet seen. */
  kind: 'unassigned' | 'assigned';
  /**
   * False for an assignment whose other half was never seen: the contract may just have entered this participant's
   * view.
   */
  certain: boolean;
  contractId: string;
  reassignmentId: string;
  source: string;
  target: string;
  counter: bigint;
  unassignedOffset: bigint | undefined;
  assignedOffset: bigint | undefined;
  /** Microseconds since the epoch. */
  exclusivity: bigint | undefined;
}

export function inFlightAt(db: Db, q: Question): InFlight[] {
  const where = [
    `r.source_pk = ${q.source.pk}`,
    `((r.u_off <= :o AND r.exclusivity IS NOT NULL AND (r.a_off IS NULL OR r.a_off > :o))
      OR (r.a_off <= :o AND (r.u_off IS NULL OR r.u_off > :o)))`,
  ];
  // Of a contract outside the filter of the base the store has what ends it only.
  const base = q.source.filter?.flatMap((party) =>
    pluck(db, 'SELECT party_pk FROM party WHERE party = ?', party),
  );
  for (const parties of [q.parties, base]) {
    if (parties === undefined) continue;
    where.push(`c.set_pk IN (SELECT set_pk FROM party_set_member WHERE party_pk IN (${parties.join(',')}))`);
  }
  if (q.templates !== undefined) where.push(`c.template_pk IN (${q.templates.join(',')})`);
  if (q.synchronizers !== undefined) {
    const list = q.synchronizers.join(',');
    where.push(`(r.source_sync IN (${list}) OR r.target_sync IN (${list}))`);
  }
  const rows = db
    .prepare(
      `SELECT c.contract_id, r.reassignment_id, x.sync_id, y.sync_id, r.counter, r.u_off, r.a_off, r.exclusivity
       FROM reassignment r JOIN contract c USING(contract_pk)
         JOIN synchronizer x ON x.sync_pk = r.source_sync JOIN synchronizer y ON y.sync_pk = r.target_sync
       WHERE ${where.join(' AND ')} ORDER BY coalesce(r.u_off, r.a_off), r.reassign_pk`,
    )
    .raw()
    .safeIntegers()
    .all({ o: q.offset }) as [
    Buffer,
    Buffer,
    string,
    string,
    bigint,
    bigint | null,
    bigint | null,
    bigint | null,
  ][];
  return rows.map(([id, reassignment, source, target, counter, u, a, exclusivity]) => {
    const unassigned = u !== null && u <= q.offset;
    return {
      kind: unassigned ? 'unassigned' : 'assigned',
      certain: u !== null,
      contractId: id.toString('hex'),
      reassignmentId: reassignment.toString('hex'),
      source,
      target,
      counter,
      unassignedOffset: u ?? undefined,
      assignedOffset: a ?? undefined,
      exclusivity: exclusivity ?? undefined,
    };
  });
}

/** In-flight contracts a snapshot file counted without naming them and that no assignment has explained yet: at most. */
export function unnamedInFlight(db: Db, q: Question): number {
  if (q.source.baseInFlight === 0) return 0;
  const explained = db
    .prepare('SELECT count(*) FROM reassignment WHERE source_pk = ? AND u_off IS NULL AND a_off <= ?')
    .pluck()
    .get(q.source.pk, q.offset) as number;
  return Math.max(0, q.source.baseInFlight - explained);
}
