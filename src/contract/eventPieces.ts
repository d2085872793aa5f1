/** What the blob does not say of its event: a store that keeps these beside the blob can rebuild the event. */
import { lengthDelimited } from '../wire/lengthDelimited.js';

/** Bits of an event's shape: what it lacks, though the blob has it. 0 is an event with everything. */
export const SHAPE = {
  noTemplate: 1,
  noKey: 2,
  noArguments: 4,
  noParties: 8,
  noCreatedAt: 16,
  noPackageName: 32,
  noAcsDelta: 64,
  noKeyHash: 128,
} as const;

/** Byte pieces are complete fields with their tags, ready to be copied. */
export interface EventPieces {
  /** 0: absent. */
  offset: bigint | number;
  nodeId: number;
  /** Field 4; from {@link templateField}. */
  template: Uint8Array;
  /** Fields 9 to 11: witnesses, signatories, observers. */
  parties: Uint8Array;
  /** Field 15, or empty. */
  representative: Uint8Array;
  /** Bits of {@link SHAPE}. */
  shape: number;
}

/** Field 4 of a `CreatedEvent`, the template id, with its tag. */
export function templateField(id: { packageId: string; moduleName: string; entityName: string }): Buffer {
  const body = Buffer.concat([
    lengthDelimited(1, id.packageId),
    lengthDelimited(2, id.moduleName),
    lengthDelimited(3, id.entityName),
  ]);
  return lengthDelimited(4, body);
}
