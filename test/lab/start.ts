/** What `npm start` takes from the lab. */
export { compareMessages } from './compare.ts';
export { openLab } from './lab.ts';
