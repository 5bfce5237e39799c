// expose.ts - development: the page's parts for measuring, as window.ebb.
import * as actions from '../actions';
import * as view from '../graph/viewstate';
import { app } from '../state';
Object.assign(window, { ebb: { app, ...actions, ...view, openEverything: async () => { await actions.openAllGroups(); for (const [g, t] of app.get().trace!.groups.entries()) if (t.nTwins > 1 && t.twin === g) { await actions.toggleTwins(g); } } } });
