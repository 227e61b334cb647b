import { describe, expect, it } from 'vitest';
import { firstScreen } from '../../../../cli/start/first-screen.ts';
import type { Pipeline } from '../../../../local/pipeline/pipeline.ts';

const endpoints = { bucket: 'lake' } as Pipeline['endpoints'];
const replay = {} as Pipeline['replay'];
const at = { reportUrl: 'http://127.0.0.1:4000/', dashboardsUrl: undefined, folder: '.local' };

describe('the first screen', () => {
  it('says where to look, what to ask and where to look inside', () => {
    const text = firstScreen({ replay, endpoints }, at);
    expect(text).toMatch(/^ {2}See it +http:\/\/127\.0\.0\.1:4000\/$/m);
    expect(text.match(/npm run insights -- \w+/g)).toHaveLength(3);
    expect(text).toContain('.local/endpoints.json');
    expect(text).toContain('aws --profile local s3 ls s3://lake/');
  });

  it('names the folder in its questions unless it is the usual one', () => {
    expect(firstScreen({ replay, endpoints }, at)).not.toContain('--folder');
    const elsewhere = firstScreen({ replay: undefined, endpoints }, { ...at, folder: '/data' });
    expect(elsewhere.match(/ --folder \/data$/gm)).toHaveLength(3);
  });

  it('links OpenSearch Dashboards where there is one', () => {
    const text = firstScreen({ replay, endpoints }, { ...at, dashboardsUrl: 'http://127.0.0.1:5601' });
    expect(text).toContain('http://127.0.0.1:5601 (OpenSearch Dashboards)');
  });
});
