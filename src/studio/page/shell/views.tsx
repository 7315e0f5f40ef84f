/** @file The views of the studio. One that a backend cannot serve is not offered. */
import type { ComponentType } from 'preact';
import type { StudioInfo } from '../../facts.ts';
import { AttributePage } from '../attribute/page.tsx';
import { AuditPage } from '../audit/page.tsx';
import { ChatPage } from '../chat/page.tsx';
import { ComparePage } from '../compare/page.tsx';
import { ModelsPage } from '../models/page.tsx';
import { RobustnessPage } from '../robustness/page.tsx';

/** A view. */
export interface View {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  readonly view: ComponentType;
  /** What a backend must be able to; every backend serves the view where nothing is said. */
  readonly needs?: 'chat' | 'comparison' | 'robustness';
}

const VIEWS: readonly View[] = [
  { id: 'attribute', title: 'Attribute', view: AttributePage },
  { id: 'chat', title: 'Chat', view: ChatPage, needs: 'chat' },
  // Where it cannot be done, the view says what can.
  { id: 'audit', title: 'Audit', view: AuditPage },
  { id: 'compare', title: 'Compare', view: ComparePage, needs: 'comparison' },
  { id: 'robustness', title: 'Robustness', view: RobustnessPage, needs: 'robustness' },
  { id: 'models', title: 'Models', view: ModelsPage },
];

/** The views that a backend serves; before it is known, those that every backend does. */
export const offeredViews = (info: StudioInfo | undefined): readonly View[] =>
  VIEWS.filter(view => view.needs === undefined || info?.can[view.needs]);

/** The view of an address; the first where there is no such view. */
export const viewOf = (id: string): View => VIEWS.find(view => view.id === id) ?? VIEWS[0];
