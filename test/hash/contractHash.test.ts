import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { decodeBlob } from '../../src/contract/contractInstance.js';
import type { LfValue } from '../../src/contract/value.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import type { TypeRef } from '../../src/dar/type.js';
import { readSalt } from '../../src/hash/authenticationData.js';
import { computeContractId } from '../../src/hash/computeContractId.js';
import {
  contractHashHeader,
  keyHashHeader,
  typedKeyHash,
  untypedContractHash,
  untypedKeyHash,
} from '../../src/hash/contractHash.js';
import { HashBuffer } from '../../src/hash/hashBuffer.js';
import { TypedForm } from '../../src/hash/typedForm.js';
import { writeUnicum } from '../../src/hash/unicum.js';
import { UntypedForm } from '../../src/hash/untypedForm.js';
import { fixture } from '../fixtures.js';
import { planOf, toLf, type VectorValue } from './vectorValues.js';

interface RealContract {
  contractId: string;
  idVersion: 'ca10' | 'ca11' | 'ca12';
  templateId: string;
  packageName: string;
  contractHash: string;
  unicumPreimage: string;
  unicum: string;
  blobBase64: string;
  typedArgument?: VectorValue;
}

interface Vectors {
  valueHashes: { method: string; value: VectorValue; sha256: string }[];
  contractAndKeyHashes: {
    method: string;
    packageName: string;
    templateName: string;
    value: VectorValue;
    sha256: string;
  }[];
  realContracts: RealContract[];
  derived: Record<string, unknown>[];
}

const vectors: Vectors = JSON.parse(
  gunzipSync(readFileSync(fixture('hash/contract-hash.json.gz'))).toString('utf8'),
) as Vectors;

function ref(qualifiedName: string, packageId = ''): TypeRef {
  const [module, name] = qualifiedName.split(':');
  return { packageId, module, name };
}

function partyOf(value: VectorValue): string {
  const first = value.t === 'record' ? value.fields[0][1] : value;
  return first.t === 'party' ? first.v : '';
}

function typedHash(header: Buffer, value: VectorValue): string {
  const out = new HashBuffer().raw(header);
  const bytes = encodeValue(toLf(value));
  new TypedForm().write(out, planOf([value]), bytes, 0, bytes.length, {
    trailingNone: true,
    localContractIds: true,
  });
  return out.sha256().toString('hex');
}

describe('golden hashes of Canton’s own unit tests', () => {
  it(`gives all ${vectors.valueHashes.length} hashes of values without types`, () => {
    for (const { method, value, sha256 } of vectors.valueHashes) {
      const legacy = method === 'legacy';
      const out = new HashBuffer().u8(legacy ? 0 : 1).u8(1);
      const wrapped: VectorValue =
        method === 'upgradeFriendlyWrapped' ? { t: 'record', type: null, fields: [[null, value]] } : value;
      new UntypedForm().write(out, legacy ? 'legacy' : 'upgradeFriendly', encodeValue(toLf(wrapped)));
      expect(out.sha256().toString('hex'), JSON.stringify({ method, value })).toBe(sha256);
    }
    expect(vectors.valueHashes.length).toBe(195);
  });

  it(`gives all ${vectors.contractAndKeyHashes.length} contract and key hashes`, () => {
    for (const { method, packageName, templateName, value, sha256 } of vectors.contractAndKeyHashes) {
      const template = ref(templateName);
      const hash =
        method === 'typedContract'
          ? typedHash(contractHashHeader('typed', packageName, template), value)
          : method === 'typedKey'
            ? typedKeyHash(packageName, template, planOf([value]), encodeValue(toLf(value))).toString('hex')
            : untypedKeyHash(packageName, template, encodeValue(toLf(value))).toString('hex');
      expect(hash, JSON.stringify({ method, value })).toBe(sha256);
    }
    expect(vectors.contractAndKeyHashes.length).toBe(131);
  });
});

describe('contracts that real nodes made', () => {
  it('gives contract hash, unicum pre-image and id of all 13', () => {
    expect(vectors.realContracts.length).toBe(13);
    for (const real of vectors.realContracts) {
      const blob = Buffer.from(real.blobBase64, 'base64');
      const view = new BlobView().parse(blob);
      const [packageId, module, name] = real.templateId.split(':');
      const template = { packageId, module, name };
      let hash: string;
      if (real.idVersion === 'ca12') {
        const out = new HashBuffer().raw(contractHashHeader('typed', real.packageName, template));
        const plan = planOf([real.typedArgument as VectorValue]);
        new TypedForm().write(out, plan, view.createArgument);
        hash = out.sha256().toString('hex');
      } else {
        const method = real.idVersion === 'ca10' ? 'legacy' : 'upgradeFriendly';
        hash = untypedContractHash(method, real.packageName, template, view.createArgument).toString('hex');
        expect(computeContractId(decodeBlob(blob))).toBe(real.contractId);
      }
      expect(hash, real.templateId).toBe(real.contractHash);
      const out = new HashBuffer();
      const salt = readSalt(blob, view.authenticationStart, view.authenticationEnd);
      writeUnicum(out, view, salt.start, Buffer.from(hash, 'hex'));
      expect(out.view().toString('hex')).toBe(real.unicumPreimage);
      expect(`1220${out.sha256().toString('hex')}`).toBe(real.unicum);
      expect(real.contractId.endsWith(`${real.idVersion}${real.unicum}`)).toBe(true);
    }
  });
});

describe('derived cases', () => {
  const [remapped, chained, raised, keyed, collision] = vectors.derived;

  it('gives a contract with another party its new id', () => {
    const instance = decodeBlob(Buffer.from(vectors.realContracts[0].blobBase64, 'base64'));
    const [[from, to]] = Object.entries(remapped.partyMap as Record<string, string>);
    const replace = (parties: string[]): string[] => parties.map((p) => (p === from ? to : p));
    instance.nonSignatoryStakeholders = replace(instance.nonSignatoryStakeholders);
    const argument = decodeValue(instance.createArgument);
    if (argument.kind !== 'record') throw new Error('not a record');
    const fields = argument.fields.map(
      (f): LfValue => (f.kind === 'party' && f.value === from ? { ...f, value: to } : f),
    );
    instance.createArgument = encodeValue({ kind: 'record', fields });
    expect(computeContractId(instance)).toBe(remapped.newContractId);
  });

  it('gives contracts that hold ids of others their id', () => {
    for (const side of [chained.before, chained.after] as { argument: VectorValue; contractId: string }[]) {
      const id = computeContractId({
        serializationVersion: '2.1',
        contractId: side.contractId,
        packageName: chained.packageName as string,
        templateId: { packageId: chained.packageId as string, moduleName: 'M', entityName: 'Ref' },
        createArgument: encodeValue(toLf(side.argument)),
        // The argument's only party signs.
        nonMaintainerSignatories: [partyOf(side.argument)],
        nonSignatoryStakeholders: [],
        createdAt: BigInt(chained.createdAtMicros as string),
        authenticationData: Buffer.from(`0a260a2408011220${chained.salt as string}101e`, 'hex'),
      });
      expect(id).toBe(side.contractId);
    }
  });

  it('gives a contract raised to ca12 its hash', () => {
    const out = new HashBuffer().raw(contractHashHeader('typed', 'CantonExamples', ref('Iou:Iou')));
    const value = raised.typedArgument as VectorValue;
    new TypedForm().write(out, planOf([value]), encodeValue(toLf(value)));
    expect(out.sha256().toString('hex')).toBe(raised.contractHash);
  });

  it('puts the key hash and the maintainers into the unicum', () => {
    const hash = typedHash(keyHashHeader('demo', ref('M:Ref')), { t: 'party', v: 'alice' });
    expect(hash).toBe(keyed.globalKeyHash);
    const buf = Buffer.concat([
      Buffer.from(Array.from({ length: 32 }, (_, i) => i)),
      Buffer.from('alicebob', 'latin1'),
      Buffer.from(hash, 'hex'),
    ]);
    const out = new HashBuffer();
    const parts = {
      buf,
      signatoryBorders: [],
      observerBorders: [37, 40],
      maintainerBorders: [32, 37, 32, 37],
      hasKey: true,
      keyHashStart: 40,
      keyHashEnd: 72,
      createdAt: 1n,
      createdAtNumber: 1,
    };
    writeUnicum(out, parts, 0, Buffer.alloc(32));
    expect(out.view().toString('hex')).toBe(keyed.unicumPreimage);
    expect(`1220${out.sha256().toString('hex')}`).toBe(keyed.unicum);
  });

  it('shows the known collision of the upgrade-friendly method, and notices it', () => {
    for (const value of [collision.value1, collision.value2] as VectorValue[]) {
      const bytes = encodeValue(toLf(value));
      const template = { packageId: 'P', module: 'M', name: 'T' };
      expect(untypedContractHash('upgradeFriendly', 'p', template, bytes).toString('hex')).toBe(
        collision.sha256,
      );
      const form = new UntypedForm();
      form.write(new HashBuffer(), 'upgradeFriendly', bytes);
      expect(form.mapInRecord).toBe(true);
    }
  });
});
