//! The phases of a check in a handful of bytes: six numbers in tenths of a millisecond, each in LEB128 (seven bits a
//! byte, the lowest first), and trailing zeros left out. A plain HTTP check on a near host takes five bytes.

use gazer_domain::observation::Phases;

use gazer_wire::Unreadable;

const UNIT_US: u32 = 100;

pub(crate) fn pack(phases: &Phases) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8);
    let mut end = 0;
    for us in phases.in_order() {
        let mut rest = us.saturating_add(UNIT_US / 2) / UNIT_US;
        let zero = rest == 0;
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        if !zero {
            end = bytes.len();
        }
    }
    bytes.truncate(end);
    bytes
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<Phases, Unreadable> {
    let mut values = [0u32; 6];
    let mut at = 0;
    let mut shift = 0;
    for &byte in bytes {
        let Some(value) = values.get_mut(at) else { return Err("more than six phases".into()) };
        if shift > 28 {
            return Err("a phase of more than 32 bits".into());
        }
        *value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            *value = value.saturating_mul(UNIT_US);
            (at, shift) = (at + 1, 0);
        }
    }
    let [dns, connect, tls, send, first_byte, download] = values;
    Ok(Phases { dns, connect, tls, send, first_byte, download })
}

/// For bulk inserts, where bytes travel inside JSON.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from(DIGITS[usize::from(n)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn phases_survive_to_a_tenth_of_a_millisecond(us in proptest::array::uniform6(0u32..200_000_000)) {
            let [dns, connect, tls, send, first_byte, download] = us;
            let back = unpack(&pack(&Phases { dns, connect, tls, send, first_byte, download })).unwrap();
            for (was, is) in us.into_iter().zip(back.in_order()) {
                prop_assert!(was.abs_diff(is) <= UNIT_US / 2);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_quick_check_takes_few_bytes() {
        assert_eq!(pack(&Phases { connect: 200, first_byte: 450, ..Phases::default() }), [0, 2, 0, 0, 5]);
        assert_eq!(hex(&[0, 0xaf]), "00af");
    }
}
