/** The pages of a batch. */

import { renderAnalysis } from '../report/text/analyze.js';
import type { AnalysisResult } from '../result.js';

/** The page of one dump. */
export function renderPage(result: AnalysisResult): string {
  return `<pre>${renderAnalysis(result, { ascii: true }).replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)}</pre>\n`;
}
