// actions.ts - everything that changes the page's state, by subject. Components call these and nothing else.
export * from './actions/notices';
export * from './actions/model';
export * from './actions/training';
export * from './actions/record';
export * from './actions/timeline';
export * from './actions/select';
export * from './actions/settings';
export * from './actions/explore';
export * from './actions/files';
