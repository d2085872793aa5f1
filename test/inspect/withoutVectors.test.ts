/** Where WebAssembly has no vectors every record is looked at one by one; what is found is the same. */
import { expect, it, vi } from 'vitest';

const SNAPSHOTS = ['snapshots/multi/participant1.acs.gz', 'snapshots/two-synchronizers.acs.gz'];

/** What `info` and `verify` say; with everything loaded anew, since it is found out once what the machine can do. */
async function said(vectors: boolean) {
  vi.resetModules();
  const { webAssembly } = await import('../../src/wire/wasmAssembler.js');
  if (webAssembly === undefined) throw new Error('no WebAssembly');
  const validate = vi.spyOn(webAssembly, 'validate');
  if (!vectors) validate.mockReturnValue(false);
  const { snapshotInfo } = await import('../../src/inspect/info.js');
  const { verifySnapshot } = await import('../../src/inspect/verify.js');
  const { soundRecords } = await import('../../src/contract/usual/soundRecords.js');
  const { fixture } = await import('../fixtures.js');
  const results: unknown[] = [];
  for (const name of SNAPSHOTS)
    results.push(await snapshotInfo(fixture(name)), await verifySnapshot(fixture(name)));
  const frame = Buffer.from('040a00101e', 'hex');
  const sound = soundRecords();
  sound.hold(frame);
  expect(sound.pass(0, frame.length)).toBe(0);
  expect(validate).toHaveBeenCalled();
  validate.mockRestore();
  return results;
}

it('info and verify say the same without vectors', async () => {
  expect(await said(false)).toEqual(await said(true));
});
