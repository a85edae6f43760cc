//! CRC-32.

/// The remainder of each byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

/// CRC-32 (IEEE 802.3, reflected) of `bytes`, the one of zip, PNG and Python's `zlib.crc32`.
///
/// Four bytes in each turn of the loop: const evaluation counts turns, and a model of 100 000 weights has to stay below the
/// count at which the compiler warns.
///
/// ```
/// assert_eq!(gatelet::format::crc32(b"123456789"), 0xCBF4_3926);
/// ```
#[must_use]
pub const fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    let mut at = 0;
    while at + 4 <= bytes.len() {
        crc = TABLE[(crc ^ bytes[at] as u32) as usize & 255] ^ crc >> 8;
        crc = TABLE[(crc ^ bytes[at + 1] as u32) as usize & 255] ^ crc >> 8;
        crc = TABLE[(crc ^ bytes[at + 2] as u32) as usize & 255] ^ crc >> 8;
        crc = TABLE[(crc ^ bytes[at + 3] as u32) as usize & 255] ^ crc >> 8;
        at += 4;
    }
    while at < bytes.len() {
        crc = TABLE[(crc ^ bytes[at] as u32) as usize & 255] ^ crc >> 8;
        at += 1;
    }
    !crc
}
