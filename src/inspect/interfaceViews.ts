/** The interface views of a created event: exports have none, streams with an interface filter do. */
import { positionalJson } from '../contract/positionalJson.js';
import { encodeValue } from '../contract/valueEncoder.js';
import { readIdentifier } from '../snapshot/eventValues.js';
import type { RecordView } from '../snapshot/record.js';
import { EVENT } from '../snapshot/recordBorders.js';
import { decodeLedgerApiRecord } from '../typed/ledgerApiValueReader.js';
import { WireReader } from '../wire/reader.js';

/** What is absent in the message is absent here. */
export interface InterfaceViewJson {
  /** `package:module:entity`. */
  interfaceId: string;
  /** Of `google.rpc.Status`; 0 is success. */
  statusCode?: number;
  statusMessage?: string;
  /** Positional, as JSON. */
  viewValue?: unknown;
  implementationPackageId?: string;
}

const INTERFACE_ID = 0x0a;
const STATUS = 0x12;
const VALUE = 0x1a;
const IMPLEMENTATION = 0x22;

/** Field 8 of the event, a message. */
const VIEWS = (EVENT.interfaceViews << 3) | 2;

/** The views of a record in the order stored. Errors: `WIRE_*`, `LEDGER_API_VALUE`. */
export function interfaceViews({ buf, eventStart, eventEnd }: RecordView): InterfaceViewJson[] {
  const views: InterfaceViewJson[] = [];
  const event = new WireReader(buf, eventStart, eventEnd);
  while (event.pos < event.end) {
    const tag = event.tag();
    if (tag === VIEWS) views.push(readView(inner(event)));
    else event.skip(tag & 7);
  }
  return views;
}

function readView(r: WireReader): InterfaceViewJson {
  const view: InterfaceViewJson = { interfaceId: '' };
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === INTERFACE_ID) {
      const { packageId, moduleName, entityName } = readIdentifier(inner(r));
      view.interfaceId = `${packageId}:${moduleName}:${entityName}`;
    } else if (tag === STATUS) readStatus(inner(r), view);
    else if (tag === VALUE) {
      const value = encodeValue(decodeLedgerApiRecord(Buffer.from(r.bytes())));
      view.viewValue = JSON.parse(positionalJson(value, 0, value.length));
    } else if (tag === IMPLEMENTATION) view.implementationPackageId = r.string();
    else r.skip(tag & 7);
  }
  return view;
}

function readStatus(r: WireReader, view: InterfaceViewJson): void {
  view.statusCode = 0;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x08) view.statusCode = r.int32();
    else if (tag === 0x12) view.statusMessage = r.string();
    else r.skip(tag & 7);
  }
}

/** A reader of the message that is next. */
function inner(r: WireReader): WireReader {
  const length = r.length();
  const message = new WireReader(r.buf, r.pos, r.pos + length);
  r.pos += length;
  return message;
}
