/** Ledger semantics, section 3 to 7 and 11: what the store makes of every order of events it may see. */
import { describe, expect, it } from 'vitest';
import { type AppendOptions, type AppendResult, appendUpdates } from '../../src/store/append.js';
import { activeRows, inFlightAt, resolveQuestion } from '../../src/store/ask.js';
import { checkStore } from '../../src/store/check.js';
import { contractHistory } from '../../src/store/history.js';
import { withStore } from '../../src/store/open.js';
import { pruneBefore } from '../../src/store/prune.js';
import { resetTo } from '../../src/store/rewind.js';
import { reassignmentId } from '../../src/store/updateContent.js';
import {
  checkpointJson,
  contract,
  on,
  oneByOne,
  S1,
  S2,
  type Step,
  streamOf,
  updateJson,
} from './streams.js';
import { storePath } from './temporaryStore.js';

const c = contract(1);
const STEPS: Record<string, Step> = {
  C: on(S1, { kind: 'create', contract: c }),
  U: { kind: 'unassign', contract: c, from: S1, to: S2, counter: 1n },
  A: { kind: 'assign', contract: c, from: S1, to: S2, counter: 1n },
  X: on(S2, { kind: 'archive', contract: c }),
};

async function append(
  db: string,
  messages: readonly object[],
  options: Partial<AppendOptions> = {},
): Promise<AppendResult> {
  return appendUpdates(db, [streamOf(messages)], { source: 'p', begin: 0n, ...options });
}

/** Findings above the level of a notice. */
async function warnings(db: string): Promise<string[]> {
  return withStore(db, {}, ({ db: opened }) =>
    opened.prepare("SELECT code FROM finding WHERE level <> 'N' ORDER BY finding_pk").pluck().all(),
  ) as Promise<string[]>;
}

/** `S1`, `S2` or `S1,S2`; U or A for an incomplete half. */
async function stateAt(db: string, offset?: bigint): Promise<string> {
  return withStore(db, {}, ({ db: opened }) => {
    const q = resolveQuestion(opened, undefined, { offset });
    const active = [...activeRows(opened, q)].map((row) => (row.synchronizer === S1 ? 'S1' : 'S2')).sort();
    const open = inFlightAt(opened, q).map((r) => (r.kind === 'unassigned' ? 'U' : 'A'));
    return `${active.join() || 'none'} / ${open.join() || '-'}`;
  });
}

async function statusOf(db: string, id: string): Promise<string> {
  return withStore(db, {}, ({ db: opened }) => {
    const { status } = contractHistory(opened, id);
    return `${status[0].status}${status[0].note === undefined ? '' : `, ${status[0].note}`}`;
  });
}

const TABLE: [string, string[]][] = [
  ['CUAX', ['S1 / -', 'none / U', 'S2 / -', 'none / -']],
  ['CAUX', ['S1 / -', 'S1,S2 / A', 'S2 / -', 'none / -']],
  ['ACUX', ['S2 / A', 'S1,S2 / A', 'S2 / -', 'none / -']],
  ['AXCU', ['S2 / A', 'none / A', 'S1 / A', 'none / -']],
  ['CAXU', ['S1 / -', 'S1,S2 / A', 'S1 / A', 'none / -']],
  ['ACXU', ['S2 / A', 'S1,S2 / A', 'S1 / A', 'none / -']],
];

const STATUS: Record<string, string[]> = {
  CUAX: ['active', `in-flight, ${S1} to ${S2}`, 'active', 'archived'],
  CAUX: ['active', `active, lagging on ${S1}`, 'active', 'archived'],
  ACUX: [
    'active, its leaving the other synchronizer has not been seen',
    `active, lagging on ${S1}`,
    'active',
    'archived',
  ],
  AXCU: [
    'active, its leaving the other synchronizer has not been seen',
    'archived, its leaving the other synchronizer has not been seen',
    `archived, lagging on ${S1}`,
    'archived',
  ],
  CAXU: ['active', `active, lagging on ${S1}`, `archived, lagging on ${S1}`, 'archived'],
  ACXU: [
    'active, its leaving the other synchronizer has not been seen',
    `active, lagging on ${S1}`,
    `archived, lagging on ${S1}`,
    'archived',
  ],
};

describe('the six legal orders of create, unassign, assign and archive', () => {
  it.each(TABLE)('%s: the states of the table after every event', async (order, expected) => {
    const db = storePath();
    const messages = oneByOne([...order].map((letter) => STEPS[letter]));
    for (let n = 1; n <= 4; n++) {
      await append(db, messages.slice(0, n));
      expect(await stateAt(db)).toBe(expected[n - 1]);
      expect(await statusOf(db, c.id)).toBe(STATUS[order][n - 1]);
    }
    // The same answers looking back from the end.
    for (let n = 1; n <= 4; n++) expect(await stateAt(db, BigInt(n) * 10n)).toBe(expected[n - 1]);
    expect(await warnings(db)).toEqual([]);
    expect((await checkStore(db)).problems.filter((p) => p.level !== 'N')).toEqual([]);
  });

  it('all six end in the same state', async () => {
    const ends = new Set<string>();
    for (const [order] of TABLE) {
      const db = storePath();
      await append(db, oneByOne([...order].map((letter) => STEPS[letter])));
      const reassignments = await withStore(db, {}, ({ db: opened }) =>
        opened.prepare('SELECT u_off IS NOT NULL AND a_off IS NOT NULL FROM reassignment').pluck().all(),
      );
      ends.add(`${await stateAt(db)} ${await statusOf(db, c.id)} ${reassignments}`);
    }
    expect([...ends]).toEqual(['none / - archived 1']);
  });
});

describe('entering and leaving', () => {
  it('an unassignment without exclusivity leaves the view; with it the contract is in flight', async () => {
    const db = storePath();
    await append(db, oneByOne([STEPS.C, { ...STEPS.U, exclusivity: null } as Step]));
    expect(await stateAt(db)).toBe('none / -');
    expect(await statusOf(db, c.id)).toBe(`left-visibility, to ${S2}`);
    const other = storePath();
    await append(other, oneByOne([STEPS.C, STEPS.U]));
    expect(await stateAt(other)).toBe('none / U');
  });

  it('coming and going with growing counters is no finding', async () => {
    const db = storePath();
    const steps: Step[] = [
      { kind: 'assign', contract: c, from: S2, to: S1, counter: 1n },
      { kind: 'unassign', contract: c, from: S1, to: S2, counter: 2n, exclusivity: null },
      { kind: 'assign', contract: c, from: S2, to: S1, counter: 3n },
    ];
    const result = await append(db, oneByOne(steps));
    expect(Object.keys(result.findings)).toEqual(['REASSIGNMENT_ID_HASH']);
    expect(await stateAt(db)).toBe('S1 / A,A');
  });

  it('a counter that goes back is a finding', async () => {
    const db = storePath();
    await append(
      db,
      oneByOne([
        { kind: 'assign', contract: c, from: S2, to: S1, counter: 3n },
        { kind: 'unassign', contract: c, from: S1, to: S2, counter: 4n },
        { kind: 'assign', contract: c, from: S2, to: S1, counter: 2n },
      ]),
    );
    expect(await warnings(db)).toEqual(['COUNTER_NOT_INCREASING']);
  });
});

describe('repair', () => {
  it('import twice, purge, import again: two intervals and no error', async () => {
    const db = storePath();
    const make = (kind: 'create' | 'archive', offset: bigint): object =>
      updateJson([{ kind, contract: c }], {
        offset,
        synchronizer: S1,
        recordTime: 1_768_000_000_000_000n,
        ...(kind === 'create' ? { workflowId: `import-x-${offset}` } : {}),
      });
    await append(db, [make('create', 10n), make('archive', 20n), make('create', 30n)]);
    const intervals = await withStore(db, {}, ({ db: opened }) =>
      opened.prepare('SELECT from_offset, to_offset FROM intervals ORDER BY 1').raw().all(),
    );
    expect(intervals).toEqual([
      [10, 20],
      [30, null],
    ]);
    expect(await warnings(db)).toEqual([]);
  });

  it('a repair with source = target is complete in itself', async () => {
    const db = storePath();
    await append(
      db,
      oneByOne([
        { kind: 'assign', contract: c, from: S1, to: S1, counter: 5n, submitter: '' },
        { kind: 'unassign', contract: c, from: S1, to: S1, counter: 5n, exclusivity: null, submitter: '' },
      ]),
    );
    expect(await stateAt(db)).toBe('none / -');
    expect(await warnings(db)).toEqual([]);
    expect(
      await withStore(db, {}, ({ db: opened }) =>
        opened.prepare('SELECT count(*) FROM reassignment').pluck().get(),
      ),
    ).toBe(0);
  });
});

describe('findings', () => {
  const create = STEPS.C;
  const archive1 = on(S1, { kind: 'archive', contract: c });
  const cases: [string, object[], string[]][] = [
    ['active already', oneByOne([create, create]), ['DOUBLE_ACTIVATION', 'COUNTER_NOT_INCREASING']],
    [
      'archived, then created again',
      oneByOne([create, archive1, create]),
      ['DOUBLE_CREATE', 'COUNTER_NOT_INCREASING'],
    ],
    [
      'created on two synchronizers',
      oneByOne([create, on(S2, { kind: 'create', contract: c })]),
      ['CREATE_ELSEWHERE'],
    ],
    ['archived without creation', oneByOne([archive1]), ['DEACTIVATION_WITHOUT_ACTIVATION']],
    ['archived twice', oneByOne([create, archive1, archive1]), ['DOUBLE_ARCHIVE']],
    [
      'assigned where it was archived',
      oneByOne([create, archive1, { kind: 'assign', contract: c, from: S2, to: S1, counter: 2n }]),
      ['ACTIVATION_AFTER_ARCHIVE'],
    ],
    [
      'left with a strange counter',
      oneByOne([create, { kind: 'unassign', contract: c, from: S1, to: S2, counter: 4n }]),
      ['COUNTER_UNASSIGN'],
    ],
    [
      'a batch of unlike contracts',
      [
        updateJson([create, { kind: 'create', contract: contract(2, { observers: [] }) }], {
          offset: 10n,
          synchronizer: S1,
        }),
        updateJson(
          [
            { kind: 'unassign', contract: c, from: S1, to: S2, counter: 1n, id: '00aa' },
            {
              kind: 'unassign',
              contract: contract(2, { observers: [] }),
              from: S1,
              to: S2,
              counter: 1n,
              id: '00aa',
            },
          ],
          { offset: 20n, synchronizer: S1 },
        ),
      ],
      ['BATCH_NOT_UNIFORM'],
    ],
  ];
  it.each(cases)('%s', async (_name, messages, codes) => {
    const db = storePath();
    await append(db, messages);
    expect(await warnings(db)).toEqual(codes);
    const strict = storePath();
    await expect(append(strict, messages, { strict: true })).rejects.toMatchObject({ code: codes[0] });
    // The refusal is kept, and nothing of the batch.
    const kept = await withStore(strict, {}, ({ db: opened }) => ({
      findings: opened.prepare('SELECT code, level FROM finding').raw().all(),
      events: opened.prepare('SELECT count(*) FROM event').pluck().get(),
    }));
    expect(kept).toEqual({ findings: [[codes[0], 'E']], events: 0 });
  });

  const later = 1_767_900_000_000_000n;
  const refused: [string, object[], string, boolean][] = [
    [
      'a record time that goes back',
      [
        updateJson([create], { offset: 10n, synchronizer: S1, recordTime: later, effectiveAt: later }),
        updateJson([{ kind: 'create', contract: contract(2) }], {
          offset: 20n,
          synchronizer: S1,
          recordTime: later - 1n,
          effectiveAt: later - 1n,
        }),
      ],
      'RECORD_TIME_DECREASES',
      true,
    ],
    [
      'one update id at two offsets',
      [
        updateJson([create], { offset: 10n, synchronizer: S1, updateId: '1220aa' }),
        updateJson([{ kind: 'create', contract: contract(2) }], {
          offset: 20n,
          synchronizer: S1,
          updateId: '1220aa',
        }),
      ],
      'DUPLICATE_UPDATE_ID',
      true,
    ],
    [
      'halves with different counters',
      oneByOne([create, STEPS.U, { ...STEPS.A, counter: 2n, id: idOf(STEPS.U) } as Step]),
      'COUNTER_PAIR',
      true,
    ],
    [
      'an unassignment on the wrong synchronizer',
      [updateJson([STEPS.U], { offset: 10n, synchronizer: S2 })],
      'SYNC_MISMATCH',
      false,
    ],
    [
      'offsets that do not grow',
      [
        updateJson([create], { offset: 10n, synchronizer: S1 }),
        updateJson([{ kind: 'create', contract: contract(2) }], { offset: 10n, synchronizer: S1 }),
      ],
      'OFFSET_NOT_INCREASING',
      false,
    ],
    [
      'another contract under the same id',
      [
        updateJson([create], { offset: 10n, synchronizer: S1 }),
        updateJson(
          [{ kind: 'assign', contract: contract(1, { text: 'other text' }), from: S1, to: S2, counter: 1n }],
          {
            offset: 20n,
            synchronizer: S2,
          },
        ),
      ],
      'PAYLOAD_MISMATCH',
      true,
    ],
    [
      'another contract of another template under the same id',
      oneByOne([
        create,
        { kind: 'assign', contract: contract(1, { entity: 'Other' }), from: S1, to: S2, counter: 1n },
      ]),
      'PAYLOAD_MISMATCH',
      true,
    ],
    [
      'an archive of another template',
      oneByOne([create, on(S1, { kind: 'archive', contract: { ...c, entity: 'Other' } })]),
      'TEMPLATE_PACKAGE_DIFFERS',
      false,
    ],
    [
      'the other half with another target',
      oneByOne([
        create,
        STEPS.U,
        { kind: 'assign', contract: c, from: S2, to: S1, counter: 1n, id: idOf(STEPS.U) },
      ]),
      'REASSIGNMENT_PAIR',
      false,
    ],
  ];
  it.each(refused)('%s is refused', async (_name, messages, code, lenient) => {
    const db = storePath();
    await expect(append(db, messages)).rejects.toMatchObject({ code });
    const other = storePath();
    const tolerant = append(other, messages, { lenient: true });
    if (lenient) {
      expect((await tolerant).findings).toMatchObject({ [code]: 1 });
      expect((await checkStore(other)).problems.filter((p) => p.level === 'E')).toEqual([]);
    } else await expect(tolerant).rejects.toMatchObject({ code });
  });

  it('a twice used node id, and signatories that are not the contract’s', async () => {
    const message = updateJson([create, { kind: 'create', contract: contract(2) }], {
      offset: 10n,
      synchronizer: S1,
    }) as { transaction: { events: { created: { nodeId: number; observers: string[] } }[] } };
    message.transaction.events[1].created.nodeId = 0;
    await expect(append(storePath(), [message])).rejects.toMatchObject({ code: 'DUPLICATE_EVENT_ID' });
    message.transaction.events[1].created.nodeId = 1;
    message.transaction.events[1].created.observers = ['mallory::1220cc'];
    await expect(append(storePath(), [message])).rejects.toMatchObject({ code: 'STAKEHOLDER_MISMATCH' });
  });

  it('a reassignment that stays open past its exclusivity', async () => {
    const db = storePath();
    const time = 1_767_000_000_000_000n + 10_000_000n * 60n;
    await append(db, [...oneByOne([create, STEPS.U]), checkpointJson(500n, { [S2]: time })]);
    const { problems } = await checkStore(db);
    expect(problems).toMatchObject([{ code: 'UNASSIGN_WITHOUT_ASSIGN', level: 'W', contractId: c.id }]);
  });
});

function idOf(step: Step): string {
  return `001220${step.contract.id.slice(10, 66)}00000001`;
}

describe('resuming', () => {
  const steps = oneByOne([
    STEPS.C,
    on(S1, { kind: 'create', contract: contract(2) }),
    STEPS.A,
    on(S1, { kind: 'create', contract: contract(3) }),
    STEPS.U,
  ]);

  it('a restored participant is detected; reset-to and append again equal a fresh store', async () => {
    const db = storePath();
    await append(db, steps);
    const before = (await checkStore(db)).digests.p;
    const other = oneByOne([
      STEPS.C,
      on(S1, { kind: 'create', contract: contract(2) }),
      on(S1, { kind: 'create', contract: contract(9) }),
    ]);
    await expect(append(db, other)).rejects.toMatchObject({ code: 'OFFSET_REPLAY_DIFFERS' });
    expect((await checkStore(db)).digests.p).toBe(before);
    const dry = await resetTo(db, { offset: 20n });
    expect(dry).toMatchObject({ done: false, updates: 3, events: 3 });
    expect((await checkStore(db)).digests.p).toBe(before);
    await resetTo(db, { offset: 20n, apply: true });
    expect((await checkStore(db)).problems).toEqual([]);
    await append(db, other);
    const fresh = storePath();
    await append(fresh, other);
    expect((await checkStore(db)).digests).toEqual((await checkStore(fresh)).digests);
    expect((await checkStore(db)).problems).toEqual([]);
  });

  it('every prefix, twice: nothing changes', async () => {
    const db = storePath();
    for (let n = 1; n <= steps.length; n++) {
      await append(db, steps.slice(0, n));
      const once = (await checkStore(db)).digests.p;
      const again = await append(db, steps.slice(0, n));
      expect(again).toMatchObject({ updates: 0, replayed: n });
      expect((await checkStore(db)).digests.p).toBe(once);
    }
  });

  it('a file in which a recording was taken up again repeats some updates', async () => {
    const db = storePath();
    const all = oneByOne([STEPS.C, STEPS.U, STEPS.A, STEPS.X]);
    const again = [...all.slice(0, 3), ...all.slice(1)];
    expect(await append(db, again)).toMatchObject({ updates: 4, replayed: 2, head: 40n });
    expect(await append(storePath(), again, { threadFrom: 0 })).toMatchObject({ updates: 4, replayed: 2 });
  });

  it('pruning keeps what is active, and what is in flight', async () => {
    const db = storePath();
    const all = [
      ...oneByOne([
        STEPS.C,
        on(S1, { kind: 'create', contract: contract(2) }),
        on(S1, { kind: 'archive', contract: contract(2) }),
        on(S1, { kind: 'create', contract: contract(4) }),
        { kind: 'unassign', contract: contract(4), from: S1, to: S2, counter: 1n },
        { kind: 'assign', contract: contract(4), from: S1, to: S2, counter: 1n },
        STEPS.U,
      ]),
      checkpointJson(100n),
    ];
    await append(db, all);
    expect(await stateAt(db)).toBe('S2 / U');
    expect(await pruneBefore(db, { before: 80n })).toMatchObject({ done: false, intervals: 2 });
    await pruneBefore(db, { before: 80n, apply: true, vacuum: true });
    expect(await stateAt(db)).toBe('S2 / U');
    expect((await checkStore(db, { full: true })).problems).toEqual([]);
    await expect(stateAt(db, 70n)).rejects.toMatchObject({ code: 'OFFSET_BEFORE_BASE' });
    await append(db, [updateJson([STEPS.A], { offset: 110n, synchronizer: S2 })]);
    expect(await stateAt(db)).toBe('S2,S2 / -');
    expect((await checkStore(db, { full: true })).problems).toEqual([]);
  });

  it('pruning an interval that was superseded leaves a log that gives the same state', async () => {
    const db = storePath();
    const twice = contract(2);
    await append(db, [
      ...oneByOne([
        // Its other half is never seen: it stays, and the interval with it.
        { kind: 'assign', contract: twice, from: S2, to: S1, counter: 1n },
        on(S1, { kind: 'create', contract: twice }),
        on(S1, { kind: 'archive', contract: twice }),
        on(S1, { kind: 'create', contract: contract(4) }),
      ]),
      checkpointJson(100n),
    ]);
    await pruneBefore(db, { before: 80n, apply: true });
    expect((await checkStore(db, {})).problems.filter((p) => p.level === 'E')).toEqual([]);
  });
});

describe('big numbers', () => {
  it('offsets beyond 2^53 and the last microsecond of the year 9999 survive', async () => {
    const db = storePath();
    const offset = 2n ** 53n + 1n;
    const last = 253402300799999999n;
    const result = await append(db, [
      updateJson([STEPS.C], { offset, synchronizer: S1, recordTime: last, effectiveAt: last }),
      checkpointJson(offset + 2n, { [S1]: last }),
    ]);
    expect(result.head).toBe(offset + 2n);
    await withStore(db, {}, ({ db: opened }) => {
      const q = resolveQuestion(opened, undefined, { offset });
      expect([...activeRows(opened, q)][0].since).toBe(offset);
      const history = contractHistory(opened, c.id);
      expect(history.events[0]).toMatchObject({ offset, recordTime: last });
      expect(() => resolveQuestion(opened, undefined, { offset: offset + 3n })).toThrow(/beyond/);
    });
  });

  it('the id of a reassignment is the hash the specification gives', () => {
    expect(
      reassignmentId(`s1::1220${'ab'.repeat(32)}`, `s2::1220${'ab'.repeat(32)}`, 1700000000000000n, [
        { id: `00${'11'.repeat(32)}ca1220${'22'.repeat(32)}`, counter: 1n },
      ]),
    ).toBe('001220c9514d9f2e9919d71f1597f2b65e2b7198c7bf3e27daadccc99a670157d751ba');
  });
});
