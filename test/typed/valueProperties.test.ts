import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { type DarCatalog, loadDars } from '../../src/dar/catalog.js';
import { AcsError } from '../../src/io/error.js';
import { decodeLedgerApiRecord } from '../../src/typed/ledgerApiValueReader.js';
import { encodeLedgerApiRecord } from '../../src/typed/ledgerApiValueWriter.js';
import { checkValue } from '../../src/typed/typeCheck.js';
import { PlanCompiler, type TypePlan } from '../../src/typed/typePlan.js';
import { valueFromJson } from '../../src/typed/valueFromJson.js';
import { compareValues } from '../../src/typed/valueOrder.js';
import { valueToJson } from '../../src/typed/valueToJson.js';
import { arbitraryValue } from './arbitraryValue.js';

let catalog: DarCatalog;
let allTypes: TypePlan;
beforeAll(async () => {
  catalog = await loadDars(['fixtures/dars'], { cacheDir: false });
  const [registry] = catalog.byName('acme-registry');
  allTypes = new PlanCompiler(catalog).template(registry.packageId, 'Acme.Registry:AllTypes').arg;
});

describe('any value of every type', () => {
  it('type-checks and survives JSON, Ledger API and blob bytes', () => {
    fc.assert(
      fc.property(arbitraryValue(allTypes), (value) => {
        checkValue(allTypes, value, { trailingNone: false });
        expect(valueFromJson(allTypes, valueToJson(allTypes, value))).toEqual(value);
        for (const form of ['verbose', 'labels', 'plain'] as const) {
          expect(decodeLedgerApiRecord(encodeLedgerApiRecord(allTypes, value, form), allTypes)).toEqual(
            value,
          );
        }
        expect(decodeValue(encodeValue(value))).toEqual(value);
        expect(compareValues(allTypes, value, value)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it('is ordered antisymmetrically and transitively', () => {
    const triples = fc.tuple(arbitraryValue(allTypes), arbitraryValue(allTypes), arbitraryValue(allTypes));
    fc.assert(
      fc.property(triples, (values) => {
        const [a, b, c] = [...values].sort((x, y) => compareValues(allTypes, x, y));
        expect(compareValues(allTypes, a, c)).toBeLessThanOrEqual(0);
        expect(Math.sign(compareValues(allTypes, a, b)) + Math.sign(compareValues(allTypes, b, a))).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('cut or damaged Ledger API bytes give a value or a clear error', () => {
    fc.assert(
      fc.property(arbitraryValue(allTypes), fc.nat(), fc.nat({ max: 7 }), (value, at, bit) => {
        const bytes = encodeLedgerApiRecord(allTypes, value, 'verbose');
        const damaged = Buffer.from(bytes);
        damaged[at % bytes.length] ^= 1 << bit;
        for (const input of [bytes.subarray(0, at % bytes.length), damaged]) {
          try {
            decodeLedgerApiRecord(input, allTypes);
          } catch (error) {
            expect(error).toBeInstanceOf(AcsError);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('damaged JSON gives a value or a clear error', () => {
    fc.assert(
      fc.property(arbitraryValue(allTypes), fc.nat(), fc.string({ maxLength: 2 }), (value, at, text) => {
        const json = valueToJson(allTypes, value);
        const cut = at % json.length;
        try {
          valueFromJson(allTypes, `${json.slice(0, cut)}${text}${json.slice(cut + 1)}`);
        } catch (error) {
          expect(error).toBeInstanceOf(AcsError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
