/**
 * The forms that an analysis is reported in. Each is a function of the result, loaded when it is asked for; a new one is a
 * line here and an option of the command.
 */

import type { AnalysisResult } from '../result/result.js';
import type { AnalysisTextOptions } from './text/analyze.js';

/** A file of a report. `name` is its name in a folder; empty where the report is one file. */
export interface ReportFile {
  readonly name: string;
  readonly text: string;
}

/** Makes the files of a report. What is of the terminal matters to the text alone. */
export type Reporter = (result: AnalysisResult, style: AnalysisTextOptions) => readonly ReportFile[];

const one = (text: string): readonly ReportFile[] => [{ name: '', text }];

/** By the name of the form. */
export const REPORTERS = {
  text: async () => {
    const { renderAnalysis } = await import('./text/analyze.js');
    return (result, style) => one(renderAnalysis(result, style));
  },
  json: async () => {
    const { renderJson } = await import('./json.js');
    return (result) => one(renderJson(result));
  },
  /** Flat documents for search engines. */
  ndjson: async () => {
    const { renderFlat } = await import('./flat/ndjson.js');
    return (result) => one(renderFlat(result));
  },
  /** A folder of tables. */
  csv: async () => (await import('./csv.js')).csvFiles,
  html: async () => {
    const { renderAnalysisPage } = await import('./html/analysis-page.js');
    return (result) => one(renderAnalysisPage(result));
  },
} as const satisfies Readonly<Record<string, () => Promise<Reporter>>>;

export type ReportForm = keyof typeof REPORTERS;

/** The files of a result in one form. */
export async function report(
  form: ReportForm,
  result: AnalysisResult,
  style: AnalysisTextOptions = {},
): Promise<readonly ReportFile[]> {
  const reporter: Reporter = await REPORTERS[form]();
  return reporter(result, style);
}

/** The text of a form that is one file. */
export async function reportText(
  form: Exclude<ReportForm, 'csv'>,
  result: AnalysisResult,
  style: AnalysisTextOptions = {},
): Promise<string> {
  const files = await report(form, result, style);
  return files.map(({ text }) => text).join('');
}
