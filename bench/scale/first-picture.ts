import { PAGE_PICTURES } from '../../charts/pictures/all.ts';
import type { Choices } from '../../report/protocol.ts';
import { startReportServer } from '../../report/server.ts';

export interface PageFigures {
  /** Page, picker and the first picture, one after the other, from a server that has just started. */
  firstPictureMs: number;
  /** In the picker, once it knows the series. */
  searchMs: number;
}

/** Asks what a browser asks until it can draw its first picture; drawing is not included. */
export async function measureFirstPicture(openSearchUrl: string, nowMs: number): Promise<PageFigures> {
  const server = await startReportServer({ openSearchUrl, now: () => new Date(nowMs) });
  const get = async (path: string) => {
    const response = await fetch(new URL(path, server.url));
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const choices = async (search: string) =>
    (await (await get(`/api/choices?search=${search}`)).json()) as Choices;
  try {
    const startedMs = performance.now();
    await (await get('/')).text();
    const [first] = (await choices('')).choices;
    if (!first) throw new Error('The picker offers no series.');
    const [picture] = PAGE_PICTURES;
    const query = new URLSearchParams({ picture: picture?.id ?? '', series: first.series });
    await (await get(`/api/picture?${query}`)).json();
    const firstPictureMs = performance.now() - startedMs;
    const searchedMs = performance.now();
    const found = await choices('COIN0007');
    if (found.total === 0) throw new Error('The picker does not find COIN0007.');
    return { firstPictureMs, searchMs: performance.now() - searchedMs };
  } finally {
    await server.close();
  }
}
