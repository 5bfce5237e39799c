// empty.tsx - what a panel says while it has nothing to show: why, and what would be there.
import type { ComponentChildren } from 'preact';

export const Empty = ({ title, children }: { title: string; children: ComponentChildren }) => <div class="empty"><p>{title}</p><p>{children}</p></div>;
