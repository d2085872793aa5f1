/** A participant to which one synchronizer comes later than the other: what is in flight meanwhile, and where a contract is. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { appendUpdates } from '../../src/store/append.js';
import { inFlightAt, resolveQuestion } from '../../src/store/ask.js';
import { contractHistory } from '../../src/store/history.js';
import { loadBase } from '../../src/store/load.js';
import { withStore } from '../../src/store/open.js';
import { contract, createdEvent, on, oneByOne, S1, S2, type Step, streamOf } from './streams.js';
import { storePath } from './temporaryStore.js';

const c = contract(1);

/** The JSON of an update that moves one contract. */
interface Moved {
  reassignment: { events: { unassigned?: object; assigned?: object }[] };
}

async function append(db: string, messages: readonly object[]): Promise<unknown> {
  return appendUpdates(db, [streamOf(messages)], { source: 'p', begin: 0n });
}

describe('one synchronizer that lags', () => {
  const move = (kind: 'assign' | 'unassign', from: string, to: string, counter: bigint): Step => ({
    kind,
    contract: c,
    from,
    to,
    counter,
  });
  /** There, back, and there again; of the second synchronizer nothing has been seen. */
  const lagging = oneByOne([
    on(S1, { kind: 'create', contract: c }),
    move('unassign', S1, S2, 1n),
    move('assign', S2, S1, 2n),
    move('unassign', S1, S2, 3n),
  ]);

  it('a contract in flight twice stays so in a base of recorded active contracts', async () => {
    const streamed = storePath();
    await append(streamed, lagging);
    const inFlight = async (db: string, name?: string) =>
      withStore(db, {}, ({ db: opened }) =>
        inFlightAt(opened, resolveQuestion(opened, name, {}))
          .map((r) => `${r.kind} ${r.source} ${r.counter}`)
          .sort(),
      );
    const found = await inFlight(streamed);
    expect(found).toEqual([`assigned ${S2} 2`, `unassigned ${S1} 1`, `unassigned ${S1} 3`].sort());
    const events = lagging.slice(1).map((update) => (update as Moved).reassignment.events[0]);
    const created = [createdEvent(c, 10n), createdEvent(c, 30n)];
    const answer = [
      // The created events stand beside the other's unassignment.
      { incompleteUnassigned: { createdEvent: created[1], unassignedEvent: events[0].unassigned } },
      { incompleteUnassigned: { createdEvent: created[0], unassignedEvent: events[2].unassigned } },
      { incompleteAssigned: { assignedEvent: events[1].assigned } },
    ];
    const based = storePath();
    const file = `${based}.jsonl`;
    writeFileSync(file, answer.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    expect((await loadBase(based, file, { source: 'p', offset: 40n })).inFlight.named).toBe(3);
    expect(await inFlight(based)).toEqual(found);
    writeFileSync(
      file,
      `${JSON.stringify({ incompleteUnassigned: { unassignedEvent: events[0].unassigned } })}\n`,
    );
    await expect(loadBase(storePath(), file, { source: 'p', offset: 40n })).rejects.toMatchObject({
      code: 'BASE_UNPAIRED',
    });
  });

  it('a contract active on two, both arrived at, is where its counter is highest', async () => {
    const db = storePath();
    await append(db, oneByOne([move('assign', S1, S2, 1n), move('assign', S2, S1, 4n)]));
    const history = await withStore(db, {}, ({ db: opened }) => contractHistory(opened, c.id));
    expect(history.status).toMatchObject([{ status: 'active', synchronizers: [S1] }]);
  });
});
