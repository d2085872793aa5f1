import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('../bench/fuzz.mjs', import.meta.url));
const built = fileURLToPath(new URL('../dist/recover/recover.js', import.meta.url));

/** A 20 second share of what `node bench/fuzz.mjs` does a million times; ACS_FUZZ_SEED chooses other inputs. */
it('mutated inputs are decoded or refused, never a crash, a hang or an unknown error', async () => {
  expect(existsSync(built), 'the fuzzer runs the build: npm run build').toBe(true);
  const seed = process.env.ACS_FUZZ_SEED ?? '1';
  const { stdout } = await promisify(execFile)(process.execPath, [
    script,
    '--seconds',
    '20',
    '--seed',
    seed,
  ]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }));
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ failures: [] });
  expect(report.hang).toBeUndefined();
  expect(report.inputs).toBeGreaterThan(1000);
  expect(report.peakRssMb).toBeLessThan(600);
});
