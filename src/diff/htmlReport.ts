/**
 * The report of a comparison as one HTML file that needs nothing else: counts, and the differing contracts, to be
 * filtered by class, template, party and pair of inputs. Texts of the inputs are never taken as markup.
 */
import type { Difference } from './difference.js';
import { differenceJson } from './differenceJson.js';
import { REPORT_SCRIPT, REPORT_STYLE } from './htmlReportPage.js';
import type { DiffSummary } from './summary.js';

/** More rows make a browser slow; the summary still counts all of them. */
export const REPORT_ROWS = 20_000;
/** Of the parties, of which there may be as many as contracts, so many are listed. */
const REPORT_PARTIES = 20;

export interface HtmlReport {
  add(difference: Difference): void;
  /** The whole page. `title` names what was compared. */
  render(summary: DiffSummary, title: string): string;
}

export function openHtmlReport(inputs: readonly string[], maxRows = REPORT_ROWS): HtmlReport {
  const strings: string[] = [];
  const numbers = new Map<string, number>();
  const rows: unknown[] = [];
  let left = 0;

  /** Party ids and templates come again and again: each stands in the page once. */
  function number(text: string): number {
    let n = numbers.get(text);
    if (n === undefined) {
      n = strings.length;
      strings.push(text);
      numbers.set(text, n);
    }
    return n;
  }

  return {
    add(difference) {
      if (rows.length >= maxRows) {
        left++;
        return;
      }
      const json = differenceJson(difference, inputs);
      rows.push([
        json.contractId,
        json.classes.map(number),
        json.fields.map(number),
        json.templateId === null ? -1 : number(json.templateId),
        json.stakeholders?.map(number) ?? [],
        inputs.map((name) => {
          const state = json.inputs[name];
          if (state === undefined) return 0;
          return [
            number(state.state),
            state.expected ? 1 : 0,
            state.reassignmentCounter ?? '',
            state.synchronizerId === undefined ? -1 : number(state.synchronizerId),
            state.contentDigest ?? '',
          ];
        }),
        difference.pairs.map((pair) => [pair.left, pair.right, number(pair.class)]),
        json.createdAt ?? '',
      ]);
    },
    render(summary, title) {
      const { byParty, ...counts } = summary;
      const shown = { ...counts, byParty: byParty.slice(0, REPORT_PARTIES) };
      const data = { title, inputs, strings, rows, left, parties: byParty.length, summary: shown };
      return [
        '<!doctype html>',
        '<html lang="en">',
        '<head>',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        `<title>${escapeHtml(title)}</title>`,
        `<style>${REPORT_STYLE}</style>`,
        '</head>',
        '<body>',
        '<main id="report"><noscript>This report needs JavaScript.</noscript></main>',
        `<script type="application/json" id="data">${scriptJson(data)}</script>`,
        `<script>${REPORT_SCRIPT}</script>`,
        '</body>',
        '</html>',
        '',
      ].join('\n');
    },
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** JSON that cannot end the script element it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}
