/** What holds a pool, as areas: the tags that hold most, and the others as one. */

import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy';
import { countersOf } from '../../result/pool.js';
import type { AnalysisResult, PoolKind, PoolTagRow } from '../../result/result.js';
import { counted, humanBytes, percent } from '../../views/print/format.js';
import { markup, type SafeHtml } from './safe-html.js';
import { swatch } from './pool-bars.js';

/** Areas of one picture. */
const MOST_TAGS = 40;
const SHAPES = [
  { name: 'wide', width: 560, height: 340 },
  { name: 'narrow', width: 340, height: 340 },
] as const;
/** Of the letters in the areas, in units of the picture. */
const LETTER = { tag: 8.2, size: 7.2, line: 16 };

type Colour = 'suspect' | 'known' | 'unknown' | 'rest';

interface Area {
  label: string;
  /** The tag, where it is one. */
  tag: string | null;
  bytes: number;
  colour: Colour;
  about: string | null;
}

interface Root {
  areas: Area[];
}

/** Both pools; null where no tag holds anything. */
export function tagTreemaps(result: AnalysisResult): SafeHtml | null {
  const pictures = [pictureOf(result, 'nonpaged'), pictureOf(result, 'paged')].filter((picture) => picture !== null);
  if (pictures.length === 0) return null;
  return markup`<div class="${pictures.length > 1 && 'pair'}">${pictures}</div>
<ul class="legend">${result.suspects.length > 0 && markup`<li>${swatch('suspect')}suspected</li>`}<li>${swatch('known')}in the tag lists</li><li>${swatch('unknown')}in no tag list</li><li>${swatch('rest')}all others</li></ul>`;
}

function pictureOf(result: AnalysisResult, pool: PoolKind): SafeHtml | null {
  const areas = areasOf(result, pool);
  const total = areas.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) return null;
  const name = pool === 'nonpaged' ? 'Nonpaged pool' : 'Paged pool';
  const most = areas
    .filter(({ tag }) => tag !== null)
    .slice(0, 3)
    .map(({ label, bytes }) => `${label} ${percent(bytes / total)}`)
    .join(', ');
  const summary = `${name} by tag, ${humanBytes(Math.round(total))} in all. Largest: ${most}. The table of tags has all figures.`;
  return markup`<figure><figcaption>${name}: ${humanBytes(Math.round(total))} under tags</figcaption>
${SHAPES.map((shape) => shapeMarkup(shape, areas, total, summary))}</figure>
`;
}

const areasIn = (node: Root | Area): Area[] | undefined => ('areas' in node ? node.areas : undefined);
const bytesOf = (node: Root | Area): number => ('areas' in node ? 0 : node.bytes);

function shapeMarkup(
  { name, width, height }: (typeof SHAPES)[number],
  areas: Area[],
  total: number,
  summary: string,
): SafeHtml {
  const root = hierarchy<Root | Area>({ areas }, areasIn).sum(bytesOf);
  const cells = treemap<Root | Area>().tile(treemapSquarify.ratio(1.3)).size([width, height]).round(true)(root);
  return markup`<svg class="picture tree ${name}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${summary}">${cells.leaves().map((leaf) => areaMarkup(leaf, total))}</svg>
`;
}

function areasOf({ poolTags, suspects }: AnalysisResult, pool: PoolKind): Area[] {
  const held = (row: PoolTagRow): number => Number(countersOf(row, pool).bytes);
  const rows = (poolTags?.rows ?? []).filter((row) => held(row) > 0).sort((a, b) => held(b) - held(a));
  const suspected = new Set(suspects.filter((suspect) => suspect.pool === pool).map(({ tag }) => tag));
  const areas = rows.slice(0, MOST_TAGS).map((row): Area => {
    const colour = suspected.has(row.tag) ? 'suspect' : row.tagSource === null ? 'unknown' : 'known';
    return { label: row.tag, tag: row.tag, bytes: held(row), colour, about: row.binary ?? row.description };
  });
  const others = rows.slice(MOST_TAGS);
  if (others.length > 0) {
    const bytes = others.reduce((sum, row) => sum + held(row), 0);
    areas.push({ label: counted(others.length, 'other tag'), tag: null, bytes, colour: 'rest', about: null });
  }
  return areas;
}

function areaMarkup(leaf: HierarchyRectangularNode<Root | Area>, total: number): SafeHtml | null {
  if (!('bytes' in leaf.data)) return null;
  const { label, tag, bytes, colour, about } = leaf.data;
  const [width, height] = [leaf.x1 - leaf.x0, leaf.y1 - leaf.y0];
  const size = humanBytes(Math.round(bytes));
  const fits = (text: string, letter: number): boolean => text.length * letter + 8 <= width;
  const named = fits(label, LETTER.tag) && height >= LETTER.line + 4;
  const sized = named && fits(size, LETTER.size) && height >= 2 * LETTER.line + 6;
  const hover = `${label}: ${size}, ${percent(bytes / total)}${about === null ? '' : `, ${about}`}`;
  return markup`<g${tag !== null && markup` data-tag="${tag}"`}><title>${hover}</title><rect class="fill-${colour}" x="${leaf.x0}" y="${leaf.y0}" width="${width}" height="${height}"/>${named && markup`<text class="tag" x="${leaf.x0 + 5}" y="${leaf.y0 + 16}">${label}</text>`}${sized && markup`<text x="${leaf.x0 + 5}" y="${leaf.y0 + 32}">${size}</text>`}</g>`;
}
