/**
 * Hand-built inputs in the forms the corpus does not have, written from the specification (snapshot-format spec, section
 * 9; legacy-import spec, 1.1) with the few lines of protobuf below, not with the encoders under test. No real
 * implementation has made or seen these bytes.
 */

type Bytes = Uint8Array;

export function varint(n: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(n));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

/** A length-delimited field. */
export function field(number: number, content: Bytes | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

export function varintField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

export function fixed64Field(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return Buffer.concat([varint((number << 3) | 1), bytes]);
}

export function message(...fields: Bytes[]): Buffer {
  return Buffer.concat(fields);
}

export function delimited(body: Bytes): Buffer {
  return Buffer.concat([varint(body.length), body]);
}

export const zigzag = (n: bigint): bigint => (n << 1n) ^ (n >> 63n);

export const PARTY_A = `alice::1220${'ab'.repeat(32)}`;
export const PARTY_B = `bank::1220${'cd'.repeat(32)}`;
export const DOMAIN = `mydomain::1220${'ef'.repeat(32)}`;
export const PACKAGE_ID = '11'.repeat(32);
export const SALT = Buffer.alloc(32, 0x5a);
/** 2026-01-01T00:00:01.000002Z */
export const CREATED_MICROS = 1767225601000002n;

export const timestamp = message(varintField(1, 1767225601), varintField(2, 2000));

export function contractIdHex(prefix: string, fill = '77'): string {
  return `00${fill.repeat(32)}${prefix}1220${'99'.repeat(32)}`;
}

/** LF `Identifier` with name segments. */
export const lfIdentifier = message(
  field(1, PACKAGE_ID),
  field(2, 'Main'),
  field(2, 'Sub'),
  field(3, 'Deal'),
);

export const saltMessage = message(varintField(1, 1), field(2, SALT));

export function metadata(options: { key?: Bytes; keyTemplate?: Bytes } = {}): Buffer {
  return message(
    ...(options.key === undefined ? [field(1, PARTY_B)] : []),
    field(2, PARTY_A),
    ...(options.key === undefined
      ? []
      : [
          field(3, message(field(1, options.keyTemplate ?? lfIdentifier), field(2, options.key))),
          field(4, PARTY_B),
        ]),
  );
}

/** Format B: `ActiveContractOld` in the envelope of version 30, delimited. */
export function frameB(options: {
  contractId: string;
  argument: Bytes;
  packageName?: string;
  templateId?: Bytes;
  counter?: number;
  signatories?: string[];
  observers?: string[];
  salt?: Bytes;
  createdAt?: Bytes;
  synchronizerId?: string;
  key?: Bytes;
  maintainers?: string[];
}): Buffer {
  const instance = message(
    field(1, options.templateId ?? lfIdentifier),
    field(2, message(field(1, '2.1'), field(2, options.argument))),
    field(4, options.packageName ?? 'main-package'),
  );
  const roles =
    options.signatories === undefined
      ? metadata()
      : message(
          ...options.signatories.map((party) => field(1, party)),
          ...(options.observers ?? []).map((party) => field(2, party)),
          ...(options.key === undefined
            ? []
            : [
                field(
                  3,
                  message(
                    field(1, options.templateId ?? lfIdentifier),
                    field(2, message(field(1, '2.1'), field(2, options.key))),
                  ),
                ),
                ...(options.maintainers ?? []).map((party) => field(4, party)),
              ]),
        );
  const contract = message(
    field(1, options.contractId),
    field(2, instance),
    field(3, roles),
    field(4, options.createdAt ?? timestamp),
    field(5, options.salt ?? saltMessage),
  );
  const record = message(
    field(1, options.synchronizerId ?? DOMAIN),
    field(2, contract),
    ...(options.counter ? [varintField(3, options.counter)] : []),
  );
  return delimited(message(field(1, record), varintField(2, 30)));
}

/** A Daml-LF 1 value of every kind, with its numbers (snapshot-format spec, section 4, third column). */
export function lf1Record(referenceId: string): Buffer {
  const value = (content: Bytes): Buffer => field(2, field(2, content));
  return field(
    1,
    message(
      value(field(10, PARTY_B)),
      value(varintField(5, zigzag(-5n))),
      value(field(6, '100.0000000000')),
      value(field(8, 'text')),
      value(fixed64Field(9, CREATED_MICROS)),
      value(varintField(11, 1)),
      value(field(12, '')),
      value(varintField(13, 20454)),
      value(field(14, message())),
      value(field(14, field(1, varintField(5, zigzag(7n))))),
      value(field(15, field(1, referenceId))),
      value(field(4, message(field(1, field(8, 'a')), field(1, field(8, 'b'))))),
      value(field(16, field(1, message(field(1, 'k'), field(2, varintField(11, 0)))))),
      value(field(18, field(1, message(field(1, field(10, PARTY_A)), field(2, varintField(5, zigzag(1n))))))),
      value(field(17, field(2, 'Red'))),
      value(field(2, message(field(2, 'Some'), field(3, field(12, ''))))),
      value(field(1, field(2, field(2, field(8, 'inner'))))),
    ),
  );
}

/** `SerializableContract` in the version wrapper: 0 without salt, 1 with salt, 2 with a package name in the key. */
export function serializableContract(options: {
  version: 0 | 1 | 2;
  contractId: string;
  key?: boolean;
  packageName?: string;
}): Buffer {
  const instance = message(
    field(1, lfIdentifier),
    field(
      2,
      message(
        field(1, options.version === 2 ? '17' : '14'),
        field(2, lf1Record(contractIdHex('ca02', '44'))),
      ),
    ),
    field(3, 'agreement'),
    ...(options.packageName === undefined ? [] : [field(4, options.packageName)]),
  );
  const key = message(field(1, '14'), field(2, field(10, PARTY_B)));
  const contract = message(
    field(1, options.contractId),
    field(2, instance),
    field(3, metadata(options.key ? { key } : {})),
    field(4, timestamp),
    ...(options.version > 0 ? [field(5, saltMessage)] : []),
  );
  return message(field(1, contract), ...(options.version > 0 ? [varintField(2, options.version)] : []));
}

/** Format C: version-0 envelope around `v0.ActiveContract{1 protocol version, 2 domain, 3 contract}`. */
export function frameC(contract: Bytes, protocolVersion = 5): Buffer {
  const record = message(varintField(1, protocolVersion), field(2, DOMAIN), field(3, contract));
  return delimited(field(1, record));
}

/** Format D: one line per contract. */
export function dumpD(contracts: Bytes[]): string {
  return contracts.map((contract) => `${DOMAIN}:::${Buffer.from(contract).toString('base64')}\n`).join('');
}

/** Format E, with its quirk: the header of a domain that has contracts stands twice. */
export function dumpE(contracts: Bytes[]): string {
  const lines = contracts.map((contract) => Buffer.from(contract).toString('base64'));
  return [
    `domain-id:${DOMAIN}`,
    `domain-id:${DOMAIN}`,
    ...lines,
    '',
    `domain-id:empty::1220${'00'.repeat(32)}`,
    '',
  ].join('\n');
}

/** Ledger API v1 created event (field numbers of legacy-import spec, 1.1). */
export function createdEventV1(contractId: string, options: { late?: boolean } = {}): Buffer {
  const identifier = message(field(1, PACKAGE_ID), field(2, 'Main.Sub'), field(3, 'Deal'));
  const value = (label: string, content: Bytes): Buffer =>
    field(2, message(field(1, label), field(2, content)));
  const args = message(
    field(1, identifier),
    value('bank', field(11, PARTY_B)),
    value('amount', field(6, '1.5')),
    value('count', varintField(5, zigzag(-9n))),
    value('at', fixed64Field(9, CREATED_MICROS)),
    value('flag', varintField(12, 1)),
    value('nothing', field(13, '')),
    value('day', varintField(14, -1)),
    value('maybe', field(15, field(1, field(8, 'x')))),
    value('texts', field(16, field(1, message(field(1, 'k'), field(2, field(8, 'v')))))),
    value('color', field(17, field(2, 'Red'))),
    value('map', field(18, field(1, message(field(1, field(11, PARTY_A)), field(2, field(8, 'w')))))),
    value('other', field(3, contractIdHex('ca03', '55'))),
    value('list', field(4, field(1, field(8, 'one')))),
    value('choice', field(2, message(field(2, 'Left'), field(3, field(8, 'l'))))),
    value('nested', field(1, field(2, field(2, field(8, 'deep'))))),
  );
  return message(
    field(1, '#1:0'),
    field(2, contractId),
    field(3, identifier),
    field(4, args),
    field(5, PARTY_A),
    field(6, field(1, 'agreement')),
    field(7, field(11, PARTY_B)),
    field(8, PARTY_B),
    field(9, PARTY_A),
    ...(options.late ? [field(14, timestamp), field(15, field(1, 'main-package'))] : []),
  );
}

/** The responses of a v1 stream: contracts, then the offset alone. */
export function streamV1(events: Bytes[], offset = '000000000000000042'): Buffer {
  return Buffer.concat([
    ...events.map((event) => delimited(message(field(2, 'workflow'), field(3, event)))),
    delimited(field(1, offset)),
  ]);
}
