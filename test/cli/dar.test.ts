import { describe, expect, it } from 'vitest';
import { fixture } from '../fixtures.js';
import { runCommand } from './runCommand.js';

const dar = (name: string): string => fixture(`dars/${name}`);
const run = (...words: string[]) => runCommand('dar', ...words, '--no-cache');

describe('acs dar', () => {
  it('info lists packages and upgrade chains', async () => {
    const { status, stdout } = await run(
      'info',
      '--json',
      dar('acme-iou-1.0.0.dar'),
      dar('acme-iou-1.1.0.dar'),
    );
    expect(status).toBe(0);
    const info = JSON.parse(stdout);
    expect(info.dars).toHaveLength(2);
    expect(info.dars[0]).toMatchObject({
      sdkVersion: '3.5.10',
      mainPackageId: '0e004d4f1312221fb630102c5dd9c685f56c1e1d45065eccce630692391711dd',
    });
    expect(info.dars[0].packages[0]).toMatchObject({
      name: 'acme-iou',
      version: '1.0.0',
      languageVersion: '2.1',
      main: true,
      stable: false,
      templates: 3,
    });
    expect(info.dars[0].packages[1]).toMatchObject({ name: 'ghc-stdlib-DA-Internal-Template', stable: true });
    expect(info.upgradeChains).toEqual([
      {
        name: 'acme-iou',
        packages: [
          { version: '1.0.0', packageId: '0e004d4f1312221fb630102c5dd9c685f56c1e1d45065eccce630692391711dd' },
          { version: '1.1.0', packageId: 'a093d66ae0637dae75ecc8421eb145ad9392cc124b7c948359b799dd65f905a5' },
        ],
      },
    ]);
    const text = await run('info', dar('acme-iou-1.0.0.dar'));
    expect(text.stdout).toMatch(/\* +acme-iou +1\.0\.0 +2\.1 +3 +0 +\d+ +0e004d4f/);
  });

  it('types and templates show what a contract holds', async () => {
    const types = await run('types', '--name', 'Acme.Registry.Types:Shape', dar('acme-registry-1.0.0.dar'));
    expect(types.stdout).toBe(
      [
        'Acme.Registry.Types:Shape  variant',
        '  Circle : Numeric 2',
        '  Square : Int64',
        '  Labelled : Acme.Registry.Types:Address',
        '  Nowhere : Unit',
        '',
      ].join('\n'),
    );
    const templates = JSON.parse((await run('templates', '--json', dar('acme-registry-1.0.0.dar'))).stdout);
    expect(
      templates.templates.map((each: { templateId: string }) =>
        each.templateId.split(':').slice(1).join(':'),
      ),
    ).toEqual(['Acme.Registry:AllTypes', 'Acme.Registry:Certificate']);
    expect(templates.templates[1].implements).toEqual([
      '5b0dab49e96c33aa5a39263b94b2135591583b559dbaf7ba0f44e53260660451:Acme.Holding:Holding',
    ]);
    const api = await run('templates', '--package', 'acme-holding-api', dar('acme-registry-1.0.0.dar'));
    expect(api.stdout).toMatch(
      /interface 5b0dab49\S+:Acme\.Holding:Holding\n {2}view : Acme\.Holding:HoldingView/,
    );
    const key = await run('templates', dar('acme-keys-1.0.0.dar'));
    expect(key.stdout).toContain('  key : Acme.Keys:AccountKey');
  });

  it('diff says whether an upgrade is valid', async () => {
    const up = await run('diff', dar('acme-iou-1.0.0.dar'), dar('acme-iou-1.1.0.dar'));
    expect([up.status, up.stderr]).toEqual([0, '']);
    expect(up.stdout).toContain('compatible: a valid upgrade');
    const down = await run('diff', '--json', dar('acme-iou-1.1.0.dar'), dar('acme-iou-1.0.0.dar'));
    expect(down.status).toBe(1);
    expect(JSON.parse(down.stdout)).toMatchObject({ compatible: false });
    expect((await run('diff', dar('acme-iou-1.0.0.dar'), dar('acme-iou-1.0.0.dar'))).status).toBe(0);
  });

  it('mistakes are named', async () => {
    const missing = await run('info', 'no/such.dar');
    expect([missing.status, missing.stderr.includes('no such file')]).toEqual([4, true]);
    const unknown = await run('types', '--name', 'A:B', dar('acme-iou-1.0.0.dar'));
    expect([unknown.status, unknown.stderr.includes('TYPE_NOT_FOUND')]).toEqual([2, true]);
    const noPackage = await run('types', '--package', 'x', dar('acme-iou-1.0.0.dar'));
    expect([noPackage.status, noPackage.stderr.includes('PACKAGE_MISSING')]).toEqual([2, true]);
    expect((await run('diff', fixture('dars'), dar('acme-iou-1.0.0.dar'))).status).toBe(2);
    for (const words of [
      ['dar', 'info', '--help'],
      ['dar', 'diff', '--help'],
      ['dar', '--help'],
    ]) {
      const { stdout, stderr } = await runCommand(...words);
      expect([stderr, stdout.includes('acs dar')]).toEqual(['', true]);
    }
    expect((await runCommand('dar', 'diff', '--help')).stdout).toMatch(
      /Exit status:[\s\S]*not a valid upgrade/,
    );
  });
});
