import { createIngestHandler } from './ingest-handler.ts';
import { createSource } from './sources/source-config.ts';

/** Polls a source whose API we speak ourselves. */
export const handler = createIngestHandler(createSource);
