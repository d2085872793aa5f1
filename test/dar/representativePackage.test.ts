import { describe, expect, it } from 'vitest';
import { loadDars } from '../../src/dar/catalog.js';
import { packagesToTry } from '../../src/dar/packageChoice.js';
import { packageStore } from '../../src/dar/packageStore.js';
import {
  type PackageStore,
  type RepresentativePackageOverrides,
  selectRepresentativePackage,
} from '../../src/dar/representativePackage.js';

const store = (...ids: string[]): PackageStore => ({
  has: (id) => ids.includes(id),
  highest: (name) => (name === 'p' && ids.includes('highest') ? 'highest' : undefined),
});

const contract = {
  contractId: '00ab',
  representativePackageId: 'exported',
  creationPackageId: 'creation',
  packageName: 'p',
};

const overrides: RepresentativePackageOverrides = {
  contract: new Map([['00ab', 'by-contract']]),
  packageId: new Map([
    ['exported', 'by-exported'],
    ['creation', 'by-creation'],
  ]),
  packageName: new Map([['p', 'by-name']]),
};

const ALL = ['by-contract', 'by-exported', 'by-creation', 'exported', 'creation', 'by-name', 'highest'];
const RULES = [
  'contract-override',
  'override-of-exported',
  'override-of-creation',
  'exported',
  'creation',
  'package-name-override',
  'highest-version',
];

describe('the selection of the representative package', () => {
  it.each(ALL.map((id, i) => [i + 1, id, RULES[i]] as const))('row %i: %s', (row, id, rule) => {
    const selection = selectRepresentativePackage(contract, store(...ALL.slice(row - 1)), overrides);
    expect([selection.packageId, selection.rule, selection.changed]).toEqual([id, rule, id !== 'exported']);
    const missing = ALL.slice(0, row - 1).filter((each) => each.startsWith('by-'));
    expect(selection.skippedOverrides.map((skipped) => skipped.packageId)).toEqual(missing);
  });

  it('finds nothing in an empty store', () => {
    expect(selectRepresentativePackage(contract, store(), overrides)).toMatchObject({
      packageId: null,
      rule: null,
      changed: true,
    });
  });

  it('takes an empty exported id as the creation package', () => {
    const bare = { ...contract, representativePackageId: '' };
    expect(selectRepresentativePackage(bare, store('creation'))).toEqual({
      packageId: 'creation',
      rule: 'exported',
      changed: false,
      skippedOverrides: [],
    });
  });

  it('a package-name override does not act while the exported package is in the store', () => {
    const selection = selectRepresentativePackage(contract, store('exported', 'by-name'), {
      packageName: overrides.packageName!,
    });
    expect(selection.packageId).toBe('exported');
  });

  it('works on DARs and known ids', async () => {
    const catalog = await loadDars(['fixtures/dars'], { cacheDir: false });
    const [older, newer] = catalog.byName('acme-iou');
    const iou = {
      contractId: '00',
      representativePackageId: 'ff'.repeat(32),
      creationPackageId: older.packageId,
      packageName: 'acme-iou',
    };
    expect(selectRepresentativePackage(iou, packageStore(catalog)).rule).toBe('creation');
    const foreign = { ...iou, creationPackageId: 'ee'.repeat(32) };
    expect(selectRepresentativePackage(foreign, packageStore(catalog))).toMatchObject({
      packageId: newer.packageId,
      rule: 'highest-version',
    });
    const known = packageStore(catalog, ['ff'.repeat(32)]);
    expect(selectRepresentativePackage(iou, known).rule).toBe('exported');

    const tried = (creation: string, representative?: string) =>
      packagesToTry(catalog, {
        creation,
        packageName: 'acme-iou',
        ...(representative === undefined ? {} : { representative }),
      }).map((each) => each.version);
    expect(tried(older.packageId)).toEqual(['1.0.0', '1.1.0']);
    expect(tried(older.packageId, newer.packageId)).toEqual(['1.1.0', '1.0.0']);
    expect(tried(newer.packageId)).toEqual(['1.1.0', '1.0.0']);
    expect(tried('unknown')).toEqual(['1.1.0', '1.0.0']);
  });
});
