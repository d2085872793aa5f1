/** Patterns for templates: `ENTITY`, `MODULE:ENTITY` or `PACKAGE:MODULE:ENTITY`, each part with `*` and `?`. */
import { usageError } from '../io/error.js';
import type { TemplateId } from '../snapshot/eventValues.js';

export type TemplatePattern = (template: TemplateId, packageName: string) => boolean;

/** PACKAGE is a package id or a package name (also written `#name`). Dots are ordinary characters. */
export function templatePattern(text: string): TemplatePattern {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part) => part === '')) {
    throw usageError(
      `"${text}" is no template pattern`,
      'write ENTITY, MODULE:ENTITY or PACKAGE:MODULE:ENTITY, e.g. acme-iou:*:Iou',
    );
  }
  const entity = glob(parts[parts.length - 1]);
  const module = parts.length > 1 ? glob(parts[parts.length - 2]) : undefined;
  const packageText = parts.length > 2 ? parts[0] : undefined;
  const byName = packageText?.startsWith('#') ?? false;
  const packagePart =
    packageText === undefined ? undefined : glob(byName ? packageText.slice(1) : packageText);
  return (template, packageName) =>
    entity(template.entityName) &&
    (module === undefined || module(template.moduleName)) &&
    (packagePart === undefined || packagePart(packageName) || (!byName && packagePart(template.packageId)));
}

/** A package alone: its id or its name, with globs. */
export function packagePattern(text: string): TemplatePattern {
  return templatePattern(`${text}:*:*`);
}

/** Matches without backtracking over more than the last `*`: linear in practice, never exponential. */
export function glob(pattern: string): (text: string) => boolean {
  if (!/[*?]/.test(pattern)) return (text) => text === pattern;
  return (text) => {
    let p = 0;
    let star = -1;
    let resume = 0;
    let t = 0;
    while (t < text.length) {
      if (p < pattern.length && pattern[p] === '*') {
        star = p++;
        resume = t;
      } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++resume;
      } else return false;
    }
    while (p < pattern.length && pattern[p] === '*') p++;
    return p === pattern.length;
  };
}
