import { beforeAll, describe, expect, it } from 'vitest';
import { type ContractInstance, decodeBlob } from '../../src/contract/contractInstance.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { loadDars } from '../../src/dar/catalog.js';
import { AcsError } from '../../src/io/error.js';
import { checkValue } from '../../src/typed/typeCheck.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { valueFromJson } from '../../src/typed/valueFromJson.js';
import { valueToJson } from '../../src/typed/valueToJson.js';
import { fixture, jsonLines } from '../fixtures.js';

interface Verdict {
  name: string;
  created_event_blob?: string;
  representative_package_id?: string;
  verdict: 'accept' | 'reject' | 'exception';
  stage?: string;
  error?: string;
}

/** Which of our codes stands for which refusal of the engine's translator. */
const CODES: [RegExp, string][] = [
  [/Non-normalized Numeric/, 'TYPE_NUMERIC_SCALE'],
  [/non-strictly ordered GenMap/, 'TYPE_GENMAP_ORDER'],
  [/Unexpected trailing None/, 'TYPE_TRAILING_NONE'],
  [/may not be dropped during downgrading/, 'TYPE_EXTRA_FIELD'],
  [/non-optional extra template field/, 'TYPE_MISSING_FIELD'],
  [/NonSuffixedV[12]ContractId/, 'TYPE_CONTRACT_ID'],
  [/DataEnumConstructor|DataVariantConstructor/, 'TYPE_UNKNOWN_CONSTRUCTOR'],
  [/LookupError/, 'TYPE_NOT_FOUND'],
  [/TypeMismatch/, 'TYPE_MISMATCH'],
  [/MissingPackage/, 'PACKAGE_MISSING'],
];

let compiler: PlanCompiler;
beforeAll(async () => {
  compiler = new PlanCompiler(await loadDars([fixture('dars')], { cacheDir: false }));
});

function codeOf(instance: ContractInstance, verdict: Verdict): string {
  const { packageId, moduleName, entityName } = instance.templateId;
  const representative = verdict.representative_package_id || packageId;
  // The discriminator takes 33 bytes; the version prefix follows.
  const trailingNone = instance.contractId.slice(66, 70) === 'ca10';
  try {
    const plan = compiler.template(representative, `${moduleName}:${entityName}`);
    checkValue(plan.arg, decodeValue(instance.createArgument), { trailingNone });
    return 'OK';
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    return error.code;
  }
}

describe('the type check against the verdicts of the real validator', () => {
  it.each(['verdicts.jsonl.gz', 'verdicts-2.jsonl.gz'])('%s', (file) => {
    let translated = 0;
    let accepted = 0;
    for (const verdict of jsonLines<Verdict>(fixture(`contract-ids/${file}`))) {
      if (verdict.created_event_blob === undefined || verdict.stage === 'decode') continue;
      const blob = Buffer.from(verdict.created_event_blob, 'hex');
      const error = verdict.error ?? '';
      if (verdict.verdict === 'accept') {
        accepted++;
        expect([verdict.name, codeOf(decodeBlob(blob), verdict)]).toEqual([verdict.name, 'OK']);
      } else if (/TranslationFailed|MissingPackage/.test(error)) {
        translated++;
        const code = CODES.find(([pattern]) => pattern.test(error))?.[1];
        expect([verdict.name, codeOf(decodeBlob(blob), verdict)]).toEqual([verdict.name, code]);
      } else if (/^V12/.test(verdict.name) && /ValidationFailed|AuthenticationFailed/.test(error)) {
        // For ca12 these come after the type check.
        expect([verdict.name, codeOf(decodeBlob(blob), verdict)]).toEqual([verdict.name, 'OK']);
      }
    }
    expect(translated).toBeGreaterThan(7);
    expect(accepted).toBeGreaterThan(10);
  });
});

it('the contracts of contract-ids print and read back exactly', () => {
  interface Vector {
    name?: string;
    template_id: string;
    representative_package_id?: string;
    create_argument?: unknown;
    create_argument_lf_proto?: string;
  }
  let seen = 0;
  for (const vector of jsonLines<Vector>(fixture('contract-ids/vectors.jsonl.gz'))) {
    if (vector.create_argument === undefined || vector.create_argument_lf_proto === undefined) continue;
    const [packageId, module, entity] = vector.template_id.split(':');
    const plan = compiler.template(vector.representative_package_id ?? packageId, `${module}:${entity}`);
    const bytes = Buffer.from(vector.create_argument_lf_proto, 'hex');
    const text = valueToJson(plan.arg, decodeValue(bytes));
    expect(text).toBe(JSON.stringify(vector.create_argument));
    if (!vector.name?.startsWith('explicit-trailing-none')) {
      expect(encodeValue(valueFromJson(plan.arg, text))).toEqual(bytes);
    }
    seen++;
  }
  expect(seen).toBe(52);
});
