/** @file The views of the studio. One that a backend cannot serve is not offered. */
import type { ComponentType } from 'preact';
import type { StudioInfo } from '../../facts.ts';
import { AttributePage } from '../attribute/page.tsx';

/** A view. */
export interface View {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  readonly view: ComponentType;
  /** Whether this backend serves it; all do where nothing is said. */
  readonly needs?: keyof StudioInfo['can'];
}

const VIEWS: readonly View[] = [{ id: 'attribute', title: 'Attribute', view: AttributePage }];

/** The views that a backend serves; before it is known, those that every backend does. */
export const offeredViews = (info: StudioInfo | undefined): readonly View[] =>
  VIEWS.filter(view => view.needs === undefined || info?.can[view.needs]);

/** The view of an address; the first where there is no such view. */
export const viewOf = (id: string): View => VIEWS.find(view => view.id === id) ?? VIEWS[0];
