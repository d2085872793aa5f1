import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DarCatalog, loadDars } from '../../src/dar/catalog.js';
import { decodeDalf, openDalf } from '../../src/dar/dalf.js';
import { DAR_LIMITS, readDar } from '../../src/dar/dar.js';
import { parseManifest } from '../../src/dar/darManifest.js';
import { formatType, type Package } from '../../src/dar/type.js';
import { AcsError } from '../../src/io/error.js';
import { zip } from './zip.js';

const DARS = 'fixtures/dars';
const PUBLIC = '../shared/public/dars';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'acskit-dar-'));
});
afterAll(async () => {
  await rm(scratch, { recursive: true });
});

async function failure(work: Promise<unknown>): Promise<AcsError> {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(AcsError);
  return error as AcsError;
}

async function scratchFile(name: string, bytes: Buffer): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, bytes);
  return path;
}

function count(lfPackage: Package, what: 'templates' | 'interfaces' | 'dataTypes'): number {
  return [...lfPackage.modules.values()].reduce((sum, module) => sum + module[what].size, 0);
}

async function dalfsOf(path: string): Promise<Buffer[]> {
  const dalfs: Buffer[] = [];
  await readDar(path, (_name, bytes) => {
    dalfs.push(bytes);
  });
  return dalfs;
}

const withChecksum = (body: string): Buffer =>
  Buffer.from(`${createHash('sha256').update(body).digest('hex')}\n${body}`);

const manifestOf = (...dalfs: string[]): Buffer =>
  Buffer.from(`Format: daml-lf\nDalfs: ${dalfs.join(', ')}\nMain-Dalf: ${dalfs[0]}\n`);

describe('the corpus DARs', () => {
  it('have the recorded ids, names, versions, templates and interfaces', async () => {
    const catalog = await loadDars([DARS], { cacheDir: false });
    const recorded = JSON.parse(readFileSync(`${DARS}/packages.json`, 'utf8')) as {
      package_id: string;
      name: string;
      version: string;
      lf_version: string;
      stable_dependencies: string[];
      templates: string[];
      interfaces: string[];
    }[];
    expect(recorded.length).toBeGreaterThan(4);
    for (const entry of recorded) {
      const found = catalog.get(entry.package_id);
      expect(found).toBeDefined();
      const modules = [...found!.modules.values()];
      const names = (what: 'templates' | 'interfaces') =>
        modules.flatMap((module) => [...module[what].keys()].map((name) => `${module.name}:${name}`)).sort();
      expect({
        package_id: found!.packageId,
        name: found!.name,
        version: found!.version,
        lf_version: found!.languageVersion,
        templates: names('templates'),
        interfaces: names('interfaces'),
      }).toEqual({
        package_id: entry.package_id,
        name: entry.name,
        version: entry.version,
        lf_version: entry.lf_version,
        templates: entry.templates,
        interfaces: entry.interfaces,
      });
      expect(found!.dependencies).toEqual(entry.stable_dependencies);
    }
    expect(catalog.findings).toEqual([]);
    expect(catalog.byName('acme-iou').map((each) => each.version)).toEqual(['1.0.0', '1.1.0']);
  });

  it('show keys, choices, implemented interfaces and views', async () => {
    const catalog = await loadDars([DARS], { cacheDir: false });
    const [keys] = catalog.byName('acme-keys');
    const account = keys.modules.get('Acme.Keys')!.templates.get('Account')!;
    expect(formatType(account.keyType!)).toBe('AccountKey');
    const [registry] = catalog.byName('acme-registry');
    const certificate = registry.modules.get('Acme.Registry')!.templates.get('Certificate')!;
    const [api] = catalog.byName('acme-holding-api');
    expect(certificate.implements).toEqual([
      { packageId: api.packageId, module: 'Acme.Holding', name: 'Holding' },
    ]);
    const holding = api.modules.get('Acme.Holding')!.interfaces.get('Holding')!;
    expect(formatType(holding.viewType!)).toBe('HoldingView');
    expect(holding.choices.map((choice) => choice.name)).toEqual(['Inspect']);
    const iou = catalog.byName('acme-iou')[1].modules.get('Acme.Iou')!;
    expect(iou.templates.get('Iou')!.choices.map((choice) => [choice.name, choice.consuming])).toEqual([
      ['Archive', true],
      ['Transfer', true],
    ]);
    const cons = iou.dataTypes.get('Iou')!.cons;
    expect(
      cons.kind === 'record' && cons.fields.map((field) => `${field.name}: ${formatType(field.type)}`),
    ).toEqual([
      'issuer: Party',
      'owner: Party',
      'currency: Text',
      'amount: Numeric 10',
      'observers: List Party',
      'memo: Optional Text',
      'rating: Optional Int64',
    ]);
  });

  it('name a package that is in a DAR for nothing', async () => {
    const [main, api, template] = await dalfsOf(`${DARS}/acme-registry-1.0.0.dar`);
    const [keys] = await dalfsOf(`${DARS}/acme-keys-1.0.0.dar`);
    const make = (...names: string[]) =>
      zip([
        { name: 'META-INF/MANIFEST.MF', content: manifestOf(...names) },
        { name: 'main', content: main },
        { name: 'api', content: api },
        { name: 'template', content: template },
        { name: 'keys', content: keys },
      ]);
    const extra = await loadDars([await scratchFile('extra.dar', make('main', 'api', 'template', 'keys'))], {
      cacheDir: false,
    });
    expect(extra.findings.map((finding) => [finding.code, finding.packageIds])).toEqual([
      ['DEPENDENCY_EXTRA', ['979b74a2d71fcd52767fe05787109449e1e5bc8c3f816238d0c0ddd6552b36bf']],
    ]);
    // What the manifest does not list is not part of the DAR.
    const listed = await loadDars([await scratchFile('listed.dar', make('main', 'api', 'template'))], {
      cacheDir: false,
    });
    expect([listed.ids().length, listed.findings]).toEqual([3, []]);
  });

  it('name a missing dependency', async () => {
    const holding = await loadDars([`${DARS}/acme-registry-1.0.0.dar`], { cacheDir: false });
    expect(holding.findings).toEqual([]);
    const [main] = await dalfsOf(`${DARS}/acme-registry-1.0.0.dar`);
    const alone = await loadDars([await scratchFile('registry.dalf', main)], { cacheDir: false });
    expect(alone.findings.map((finding) => finding.code)).toEqual(['DEPENDENCY_MISSING']);
  });
});

describe('broken input', () => {
  it('cut anywhere is a clear error', async () => {
    const bytes = await readFile(`${DARS}/acme-iou-1.0.0.dar`);
    const path = join(scratch, 'cut.dar');
    for (let n = 0; n < bytes.length; n++) {
      await writeFile(path, bytes.subarray(0, n));
      const error = await failure(loadDars([path], { cacheDir: false }));
      expect(error.code).toMatch(/^(DAR|DALF)_MALFORMED$/);
      expect(error.place.file).toBe(path);
    }
  });

  it('a DALF cut anywhere, or with any byte changed, is a clear error', async () => {
    const [dalf] = await dalfsOf(`${DARS}/acme-iou-1.0.0.dar`);
    for (let n = 0; n < dalf.length; n++) {
      expect(() => openDalf(dalf.subarray(0, n))).toThrow(AcsError);
      const changed = Buffer.from(dalf);
      changed[n] ^= 1;
      expect(() => openDalf(changed)).toThrow(AcsError);
    }
  });

  it('a payload cut or changed anywhere decodes or fails with an AcsError, quickly', async () => {
    const [dalf] = await dalfsOf(`${DARS}/acme-registry-1.0.0.dar`);
    const { packageId, payload } = openDalf(dalf);
    for (let n = 0; n < payload.length; n++) {
      expect(() => decodeDalf({ packageId, payload: payload.subarray(0, n) })).toThrow(AcsError);
      for (const bit of [1, 0x80]) {
        const changed = Buffer.from(payload);
        changed[n] ^= bit;
        try {
          decodeDalf({ packageId, payload: changed });
        } catch (error) {
          expect(error).toBeInstanceOf(AcsError);
        }
      }
    }
  });

  it('refuses a zip bomb, stated or not', async () => {
    const zeros = Buffer.alloc(64 << 20);
    const honest = zip([
      { name: 'META-INF/MANIFEST.MF', content: manifestOf('a.dalf') },
      { name: 'a.dalf', content: zeros },
    ]);
    const error = await failure(loadDars([await scratchFile('bomb.dar', honest)], { cacheDir: false }));
    expect([error.code, error.message]).toEqual(['DAR_TOO_LARGE', 'entry a.dalf is a zip bomb']);
    const lying = zip([
      { name: 'META-INF/MANIFEST.MF', content: manifestOf('a.dalf') },
      { name: 'a.dalf', content: zeros, statedSize: 1000 },
    ]);
    const lie = await failure(loadDars([await scratchFile('lie.dar', lying)], { cacheDir: false }));
    expect(lie.code).toBe('DAR_MALFORMED');
    const huge = zip([
      { name: 'META-INF/MANIFEST.MF', content: manifestOf('a.dalf') },
      { name: 'a.dalf', content: Buffer.from('x'), statedSize: 2 ** 30 },
    ]);
    expect((await failure(loadDars([await scratchFile('huge.dar', huge)], { cacheDir: false }))).code).toBe(
      'DAR_TOO_LARGE',
    );
    const dense = zip([
      { name: 'META-INF/MANIFEST.MF', content: manifestOf('a.dalf') },
      { name: 'a.dalf', content: randomBytes(3 << 20), statedSize: DAR_LIMITS.entryBytes + 1 },
    ]);
    expect(
      await failure(loadDars([await scratchFile('dense.dar', dense)], { cacheDir: false })),
    ).toMatchObject({ code: 'DAR_TOO_LARGE', expected: `at most ${256 << 20} bytes` });
    const bigManifest = zip([{ name: 'META-INF/MANIFEST.MF', content: Buffer.alloc(5 << 20, 0x20) }]);
    expect(
      (await failure(loadDars([await scratchFile('mf.dar', bigManifest)], { cacheDir: false }))).code,
    ).toBe('DAR_TOO_LARGE');
  });

  it('refuses entries that leave the archive', async () => {
    for (const name of ['../evil.dalf', '/etc/passwd', 'a/../../b', 'C:/x', 'a\\b']) {
      const bytes = zip([
        { name: 'META-INF/MANIFEST.MF', content: manifestOf('a.dalf') },
        { name, content: Buffer.from('x') },
      ]);
      const error = await failure(loadDars([await scratchFile('path.dar', bytes)], { cacheDir: false }));
      expect(error.code).toBe('DAR_UNSAFE_PATH');
    }
  });

  it('refuses double entries, wrong checksums and wrong manifests', async () => {
    const manifest = { name: 'META-INF/MANIFEST.MF', content: manifestOf('a.dalf') };
    const dalf = { name: 'a.dalf', content: (await dalfsOf(`${DARS}/acme-values-1.0.0.dar`))[0] };
    const code = async (...entries: Parameters<typeof zip>[0]) =>
      (await failure(loadDars([await scratchFile('bad.dar', zip(entries))], { cacheDir: false }))).code;
    expect(await code(manifest, dalf, dalf)).toBe('DAR_MALFORMED');
    expect(await code(manifest, { ...dalf, statedCrc: 1 })).toBe('DAR_MALFORMED');
    expect(await code(dalf)).toBe('DAR_BAD_MANIFEST');
    expect(await code({ ...manifest, content: manifestOf('b.dalf') }, dalf)).toBe('DAR_BAD_MANIFEST');
    expect(await code({ ...manifest, content: Buffer.from('Format: jar\n') }, dalf)).toBe('DAR_BAD_MANIFEST');
    expect(await code(manifest, { name: 'a.dalf', content: Buffer.from('not a dalf') })).toBe(
      'DALF_MALFORMED',
    );
    const good = await loadDars([await scratchFile('good.dar', zip([manifest, dalf]))], { cacheDir: false });
    expect(good.ids()).toHaveLength(1);
  });

  it('checks totals', async () => {
    const error = await failure(
      loadDars([`${DARS}/acme-registry-1.0.0.dar`], {
        cacheDir: false,
        limits: { ...DAR_LIMITS, totalBytes: 2500 },
      }),
    );
    expect(error.code).toBe('DAR_TOO_LARGE');
    expect((await failure(loadDars(['no/such.dar'], { cacheDir: false }))).code).toBe('FILE_UNREADABLE');
  });
});

describe('the manifest', () => {
  it('joins continuation lines without trimming', () => {
    expect(
      parseManifest(
        'Manifest-Version: 1.0\r\nFormat: daml-lf\r\nMain-Dalf: a b\r\n  c.dalf\r\nDalfs: a b c.dalf\r\n ,\r\n  d.dalf\r\n\r\nFormat: x\r\n',
      ),
    ).toEqual({ main: 'a b c.dalf', dalfs: ['a b c.dalf', 'd.dalf'], sdkVersion: null, name: null });
  });

  it.each([
    ['Format: daml-lf\nDalfs: a\n', 'Main-Dalf'],
    ['Format: daml-lf\nMain-Dalf: a\n', 'Dalfs'],
    ['Format: daml-lf\nMain-Dalf: a\nDalfs: b\n', 'main package'],
    ['Format: daml-lf\nMain-Dalf: a\nDalfs: a, a\n', 'twice'],
    ['Format: daml-lf\nMain-Dalf: a\nMain-Dalf: b\nDalfs: a, b\n', 'twice'],
    [' x\n', 'continuation'],
    ['nonsense\n', 'key'],
  ])('refuses %j', (text, reason) => {
    expect(() => parseManifest(text)).toThrow(reason);
  });
});

describe('the package cache', () => {
  it('is used, and never trusted when damaged', async () => {
    const cacheDir = join(scratch, 'cache');
    const paths = [`${DARS}/acme-registry-1.0.0.dar`];
    const packagesOf = (catalog: DarCatalog) => catalog.ids().map((id) => catalog.get(id));
    const first = await loadDars(paths, { cacheDir });
    const folder = join(cacheDir, (await readdir(cacheDir))[0]);
    const files = (await readdir(folder)).sort();
    expect(files).toEqual(first.ids().map((id) => `${id}.txt`));
    expect(packagesOf(await loadDars(paths, { cacheDir }))).toEqual(packagesOf(first));

    const path = join(folder, files[0]);
    const good = await readFile(path);
    for (const bad of [
      Buffer.alloc(0),
      good.subarray(0, 70),
      Buffer.from(good.toString().replace('Acme', 'Bcme')),
      await readFile(join(folder, files[1])),
      withChecksum(JSON.stringify({ packageId: first.ids()[0] })),
      withChecksum('nonsense'),
    ]) {
      await writeFile(path, bad);
      expect(packagesOf(await loadDars(paths, { cacheDir }))).toEqual(packagesOf(first));
      expect(await readFile(path)).toEqual(good);
    }
    // A sound entry is what is read: put one with another name in place of the real one.
    const { packageToText } = await import('../../src/dar/packageText.js');
    const [id] = first.ids();
    await writeFile(path, packageToText({ ...first.get(id)!, name: 'from-the-cache' }));
    expect((await loadDars(paths, { cacheDir })).get(id)!.name).toBe('from-the-cache');
    expect((await loadDars(paths, { cacheDir: false })).get(id)!.name).not.toBe('from-the-cache');
  });

  it('that cannot be written is done without', async () => {
    const file = await scratchFile('occupied', Buffer.from('x'));
    const catalog = await loadDars([`${DARS}/acme-values-1.0.0.dar`], { cacheDir: file });
    expect(catalog.ids()).toHaveLength(1);
  });
});

describe.skipIf(!existsSync(PUBLIC))('public DARs (skipped without ../shared/public)', () => {
  const load = (name: string) => loadDars([`${PUBLIC}/${name}`], { cacheDir: false });
  const mainOf = (catalog: DarCatalog) => catalog.get(catalog.dars[0].mainPackageId)!;

  it('splice-amulet 0.1.14', async () => {
    const catalog = await load('splice-amulet-0.1.14.dar');
    const main = mainOf(catalog);
    expect(main).toMatchObject({
      packageId: '3ca1343ab26b453d38c8adb70dca5f1ead8440c42b59b68f070786955cbf9ec1',
      name: 'splice-amulet',
      version: '0.1.14',
      languageVersion: '2.1',
    });
    expect(catalog.ids()).toHaveLength(37);
    expect([count(main, 'templates'), count(main, 'dataTypes')]).toEqual([26, 195]);
    const amulet = main.modules.get('Splice.Amulet')!.templates.get('Amulet')!;
    expect(amulet.implements.map((ref) => `${ref.packageId.slice(0, 8)}:${ref.module}:${ref.name}`)).toEqual([
      '718a0f77:Splice.Api.Token.HoldingV1:Holding',
    ]);
    expect(catalog.findings).toEqual([]);
  });

  it('ping (LF 2.2, flat types, import table)', async () => {
    const catalog = await load('canton-builtin-admin-workflow-ping.dar');
    const main = mainOf(catalog);
    expect(main.packageId.slice(0, 8)).toBe('de2cc2f9');
    expect(catalog.ids()).toHaveLength(30);
    expect(catalog.findings).toEqual([]);
    const fields = (module: string, name: string) => {
      const { cons } = main.modules.get(module)!.dataTypes.get(name)!;
      return cons.kind === 'record'
        ? cons.fields.map((field) => `${field.name}:${formatType(field.type)}`)
        : [];
    };
    expect(fields('Canton.Internal.Ping', 'Ping')).toEqual(['id:Text', 'initiator:Party', 'responder:Party']);
    expect(fields('Canton.Internal.Bong', 'BongProposal')).toEqual([
      'id:Text',
      'initiator:Party',
      'candidates:List Party',
      'validators:List Party',
      'responders:List Party',
      'maxLevel:Int64',
      'timeout:Timestamp',
    ]);
    const ping = main.modules.get('Canton.Internal.Ping')!.templates.get('Ping')!;
    expect(ping.choices.map((choice) => `${choice.name}(${choice.consuming})`).sort()).toEqual([
      'AbortPing(true)',
      'Archive(true)',
      'Respond(true)',
    ]);
    const accept = main.modules
      .get('Canton.Internal.Bong')!
      .templates.get('BongProposal')!
      .choices.find((choice) => choice.name === 'Accept')!;
    expect(formatType(accept.returnType)).toBe('Either (ContractId BongProposal) (ContractId Explode)');
  });

  it.each([
    ['test-1.14.dar', '1.14', '0e3ba081', 18, 0],
    ['test-1.15.dar', '1.15', '4ca96bcb', 20, 2],
    ['test-1.17.dar', '1.17', '6c679d1f', 20, 2],
    ['test-2.1.dar', '2.1', '0b492a75', 21, 4],
    ['test-2.2.dar', '2.2', 'df69fa60', 20, 2],
    ['test-2.dev.dar', '2.dev', '908e0bf9', 22, 4],
    ['illformed.dar', '2.1', 'dc0563f9', 0, 0],
  ])('%s', async (name, version, prefix, templates, interfaces) => {
    const main = mainOf(await load(name));
    expect(main.languageVersion).toBe(version);
    expect(main.packageId.slice(0, 8)).toBe(prefix);
    expect([count(main, 'templates'), count(main, 'interfaces')]).toEqual([templates, interfaces]);
  });

  it('names a (name, version) collision', async () => {
    const catalog = await loadDars(
      [`${PUBLIC}/splice-amulet-0.1.9@1afc87cd.dar`, `${PUBLIC}/splice-amulet-0.1.9@71e44abe.dar`],
      { cacheDir: false },
    );
    const found = catalog.findings.filter((finding) => finding.code === 'PACKAGE_COLLISION');
    expect(found.map((finding) => finding.message)).toContain(
      '2 different packages are splice-amulet 0.1.9; a participant can vet only one of them',
    );
  });

  it('cut at every 1 kB is a clear error', async () => {
    for (const name of [
      'splice-amulet-0.1.14.dar',
      'canton-builtin-admin-workflow-ping.dar',
      'test-2.dev.dar',
    ]) {
      const bytes = await readFile(`${PUBLIC}/${name}`);
      const path = join(scratch, 'cut-1k.dar');
      for (let n = 1024; n < bytes.length; n += 1024) {
        await writeFile(path, bytes.subarray(0, n));
        expect((await failure(loadDars([path], { cacheDir: false }))).code).toBe('DAR_MALFORMED');
      }
    }
  });
});
