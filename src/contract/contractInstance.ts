/** The whole content of a `created_event_blob` as an object: for what is made or changed, not for walking through files. */
import type { TemplateId } from '../snapshot/eventValues.js';
import { WireWriter } from '../wire/writer.js';
import { BlobView } from './blob.js';

/** A contract without its surroundings: all that `created_event_blob` holds. */
export interface ContractInstance {
  /** `2.1` without key, `2` with key, `dev`. */
  serializationVersion: string;
  /** Lower-case hex. */
  contractId: string;
  packageName: string;
  templateId: TemplateId;
  /** Serialized LF `Value`. */
  createArgument: Buffer;
  /** Strictly ascending. */
  nonMaintainerSignatories: string[];
  /** Strictly ascending. */
  nonSignatoryStakeholders: string[];
  /** Microseconds since the epoch; {@link CREATED_AT_NOW} when not yet known. */
  createdAt: bigint;
  authenticationData: Buffer;
  key?: ContractKey;
}

export interface ContractKey {
  /** Serialized LF `Value`. */
  value: Buffer;
  maintainers: string[];
  /** 32 bytes under version `2`, empty under `2.1`. */
  hash: Buffer;
}

const sharedView = new BlobView();

/** The whole contract as an object; byte fields are copies. */
export function decodeBlob(blob: Buffer): ContractInstance {
  const view = sharedView.parse(blob);
  const instance: ContractInstance = {
    serializationVersion: view.serializationVersion,
    contractId: view.contractId,
    packageName: view.packageName,
    templateId: view.templateId,
    createArgument: Buffer.from(view.createArgument),
    nonMaintainerSignatories: view.nonMaintainerSignatories,
    nonSignatoryStakeholders: view.nonSignatoryStakeholders,
    createdAt: view.createdAt,
    authenticationData: Buffer.from(view.authenticationData),
  };
  const keyValue = view.keyValue;
  if (keyValue !== undefined) {
    instance.key = {
      value: Buffer.from(keyValue),
      maintainers: view.maintainers,
      hash: Buffer.from(view.keyHash),
    };
  }
  return instance;
}

/** The canonical bytes: fields in ascending order, defaults omitted. Party lists are written as given. */
export function encodeBlob(instance: ContractInstance): Buffer {
  const w = new WireWriter(instance.createArgument.length + 512);
  w.stringField(1, instance.serializationVersion);
  w.messageField(2, () => {
    w.bytesField(1, Buffer.from(instance.contractId, 'hex'));
    w.stringField(2, instance.packageName);
    w.messageField(3, () => {
      if (instance.templateId.packageId !== '') w.stringField(1, instance.templateId.packageId);
      for (const segment of instance.templateId.moduleName.split('.')) w.stringField(2, segment);
      for (const segment of instance.templateId.entityName.split('.')) w.stringField(3, segment);
    });
    w.bytesField(4, instance.createArgument);
    for (const party of instance.nonMaintainerSignatories) w.stringField(5, party);
    for (const party of instance.nonSignatoryStakeholders) w.stringField(6, party);
    if (instance.createdAt !== 0n) w.tag(7, 1).sfixed64(instance.createdAt);
    if (instance.authenticationData.length > 0) w.bytesField(8, instance.authenticationData);
    const key = instance.key;
    if (key !== undefined) {
      w.messageField(1001, () => {
        w.bytesField(1, key.value);
        for (const party of key.maintainers) w.stringField(2, party);
        if (key.hash.length > 0) w.bytesField(3, key.hash);
      });
    }
  });
  return w.finish();
}
