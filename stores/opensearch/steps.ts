import { type IndexSettings, indexTemplates } from './index-templates.ts';

/** One thing that setup puts into OpenSearch; putting it again changes nothing. */
export interface SetupStep {
  /** For messages: "the index template crypto-market-insights-tickers". */
  what: string;
  /** Where it is `PUT`. */
  path: string;
  body: object;
}

/** The index templates, as steps. */
export function templateSteps(settings: IndexSettings): SetupStep[] {
  return Object.entries(indexTemplates(settings)).map(([name, body]) => ({
    what: `the index template ${name}`,
    path: `/_index_template/${name}`,
    body,
  }));
}
