/** What calls give, where fields are followed: contexts of the driver framework, device objects, and everything else. */

import type { Callees } from '../calls/callees.js';
import { GET_TYPED_CONTEXT } from '../calls/wdf.js';
import type { CallGifts, CallTarget } from '../flow/flow-result.js';
import type { Given } from '../flow/flow-state.js';
import { argumentPlace, type Machine } from '../flow/machine.js';
import { VALUE, type Values } from '../flow/values.js';

/** NTSTATUS IoCreateDevice(..., PDEVICE_OBJECT *DeviceObject): the last of seven arguments. */
export const CREATE_DEVICE = { name: 'IoCreateDevice', output: 6 } as const;

/** What giving needs of an image. */
interface GivingImage {
  readonly machine: Machine;
  readonly base: number;
  readonly callees: Callees;
}

/** Answers for one image. */
export class FieldGifts implements CallGifts {
  constructor(private readonly image: GivingImage) {}

  result(
    targets: readonly CallTarget[],
    site: Given,
    values: Values,
    at: number,
  ): { readonly kind: number; readonly number: number } {
    const { machine, base } = this.image;
    const type = this.isCallOf(targets, GET_TYPED_CONTEXT.name)
      ? values.only(site.argument(argumentPlace(machine, {}, GET_TYPED_CONTEXT.type)))
      : null;
    if (type?.kind === VALUE.address || type?.kind === VALUE.memory)
      return { kind: VALUE.context, number: type.number };
    // x86 has addresses as constants.
    if (type?.kind === VALUE.constant && machine.pointerSize === 4)
      return { kind: VALUE.context, number: (type.number - base) | 0 };
    return { kind: VALUE.result, number: at };
  }

  device(targets: readonly CallTarget[]): number | null {
    return this.isCallOf(targets, CREATE_DEVICE.name)
      ? argumentPlace(this.image.machine, {}, CREATE_DEVICE.output)
      : null;
  }

  private isCallOf(targets: readonly CallTarget[], name: string): boolean {
    const [only] = targets;
    if (targets.length !== 1 || only === undefined) return false;
    const callee = this.image.callees.of(only);
    return callee.kind === 'named' && callee.name === name;
  }
}
