/** The stacks of a stage; the command line finds a deployed stage by them. */
export function stackName(stage: string, part: 'stateful' | 'stateless'): string {
  return `crypto-market-insights-${stage}-${part}`;
}
