import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeMap, readPartialMap } from '../../src/remap/completeMap.js';
import { readPartyHosting } from '../../src/remap/hosting.js';
import { readPartyMap } from '../../src/remap/partyMap.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'acs-maps-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, 'map');
  writeFileSync(path, text);
  return path;
}
const entriesOf = async (text: string) =>
  (await readPartyMap(file(text))).entries.map(({ old, new: fresh }) => [old, fresh]);

describe('party maps', () => {
  const both = [
    ['a', 'x'],
    ['b', 'y'],
  ];

  it('read with every end of line, byte order mark and quotes', async () => {
    for (const end of ['\n', '\r\n', '\r']) {
      for (const rows of [
        ['old,new', 'a,x', 'b,y'],
        ['\ufeff"old" , "new"', '"a", "x" ', '', 'b,y', ''],
        ['a,x', ' b , y '],
        ['new,participant,old', 'x,p,a', 'y,p,b'],
      ]) {
        expect(await entriesOf(rows.join(end))).toEqual(both);
      }
    }
    for (const json of ['{"a":"x","b":"y"}', '\ufeff[{"old":"a","new":"x"},{"old":"b","new":"y"}]']) {
      expect(await entriesOf(json)).toEqual(both);
    }
    const hosting = await readPartyHosting(file('\ufeff[{"old":"a","new":"x","participant":"p"}]'));
    expect([...hosting.hosts]).toEqual([['x', ['p']]]);
  });

  it.each([
    ['{"a":"x","a":"y"}', 'PARTY_MAP_AMBIGUOUS'],
    ['{"a":"x","\\u0061":"x"}', 'PARTY_MAP_AMBIGUOUS'],
    ['[{"old":"a","new":"x","new":"y"}]', 'PARTY_MAP_AMBIGUOUS'],
    ['old,new\na,x\na,y', 'PARTY_MAP_AMBIGUOUS'],
    ['[null]', 'PARTY_MAP_INCOMPLETE'],
    ['[["a","x"]]', 'PARTY_MAP_INCOMPLETE'],
    ['{"a":null}', 'PARTY_MAP_INCOMPLETE'],
    ['{"a":"x"', 'JSON_SYNTAX'],
  ])('refuses %s', async (text, code) => {
    await expect(readPartyMap(file(text))).rejects.toMatchObject({ code });
  });
});

describe('partial maps', () => {
  const complete = async (text: string) =>
    completeMap(['a::1', 'b::1'], {
      partial: await readPartialMap(file(text)),
      namespaces: new Map([['', '1220ff']]),
    });

  it('a party with two new ids is refused, where the last one won', async () => {
    await expect(complete('old,new\na::1,x::2\na::1,y::2')).rejects.toMatchObject({
      code: 'PARTY_MAP_AMBIGUOUS',
    });
    await expect(complete('old,new\na::1,x@2')).rejects.toMatchObject({ code: 'PARTY_MAP_BAD_PARTY' });
  });

  it('a fingerprint for a participant that no row names is refused', async () => {
    const partial = await readPartialMap(file('old,new,participant\na::1,,p1'));
    const run = (participant: string, defaultParticipant?: string) =>
      completeMap(['a::1', 'b::1'], {
        partial,
        namespaces: new Map([
          ['', '1220ff'],
          [participant, '1220aa'],
        ]),
        defaultParticipant,
      });
    expect(run('p1').entries.map((entry) => entry.new)).toEqual(['a::1220aa', 'b::1220ff']);
    expect(run('p2', 'p2').entries.map((entry) => entry.new)).toEqual(['a::1220ff', 'b::1220aa']);
    expect(() => run('pl')).toThrow(expect.objectContaining({ code: 'NAMESPACE_UNUSED', found: 'pl' }));
  });

  it('a party that several participants host keeps all of them', async () => {
    const map = await complete('old,new,participant\na::1,,p1\na::1,x::2,p2\na::1,,p1\nb::1,,\nb::1,z::2,');
    expect(map.entries).toEqual([
      { old: 'a::1', new: 'x::2', participant: 'p1' },
      { old: 'a::1', new: 'x::2', participant: 'p2' },
      { old: 'b::1', new: 'z::2' },
    ]);
    expect(map.allocation).toEqual({
      p1: [{ hint: 'x', party: 'x::2' }],
      p2: [{ hint: 'x', party: 'x::2' }],
    });
  });
});
