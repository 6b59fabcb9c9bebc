export { CutView, type HandlerName, type MessageArgs, type StateInCut } from './cut-view.ts';
export { SimulationError, type SimulationErrorCode } from './errors.ts';
export {
  simulate,
  type SimulatedApp,
  type SimulatedProgram,
  type SimulateOptions,
  type Simulation,
} from './simulate.ts';
