/** What sibling packages use in worker threads too. Nothing that only the host needs may be reached from here: every thread loads it. */
export { insideWorker } from './inside.ts';
export { keepsByTime, keptByTime, type KeepOptions, type KeepPolicy, type KeepReason, parseKeep } from './keep.ts';
export { isProgram } from './program.ts';
export { mergedSchedule, parseSchedule, parseTimetable, type Schedule, type ScheduleOption } from './schedule.ts';
