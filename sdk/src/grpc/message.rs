//! Messages in the bytes of a gRPC body, counted by their length prefixes: one byte of flags, four of length.

/// How many messages have begun and ended, however the bytes are cut into frames.
#[derive(Debug, Default)]
pub(super) struct Messages {
    begun: u32,
    ended: u32,
    /// Bytes of a prefix that have come, and the length so far.
    prefix: u8,
    length: u32,
    /// Bytes of a message that are to come.
    left: u32,
}

impl Messages {
    /// Reads the next bytes.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                self.left -= u32::try_from(taken).unwrap_or(self.left);
                bytes = &bytes[taken..];
            } else {
                self.begun = self.begun.saturating_add(u32::from(self.prefix == 0));
                self.length = if self.prefix == 0 { 0 } else { self.length << 8 | u32::from(*first) };
                self.prefix += 1;
                bytes = rest;
                if self.prefix < 5 {
                    continue;
                }
                (self.prefix, self.left) = (0, self.length);
            }
            self.ended = self.ended.saturating_add(u32::from(self.left == 0));
        }
    }

    /// Whether any has begun.
    pub(super) fn any(&self) -> bool {
        self.begun > 0
    }

    /// Whether a second has begun.
    pub(super) fn many(&self) -> bool {
        self.begun > 1
    }

    /// Whether all that have begun have ended, and there was one.
    pub(super) fn between(&self) -> bool {
        self.begun > 0 && self.begun == self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_however_they_are_cut() {
        let bytes = [&[0, 0, 0, 0, 3, 1, 2, 3][..], &[1, 0, 0, 0, 0], &[0, 0, 0, 1, 0], &[7; 256], &[0, 0]].concat();
        for size in 1..bytes.len() {
            let mut messages = Messages::default();
            bytes.chunks(size).for_each(|it| messages.read(it));
            assert_eq!((messages.begun, messages.ended), (4, 3), "in chunks of {size}");
        }
        let mut messages = Messages::default();
        assert!(!messages.any() && !messages.between());
        messages.read(&bytes[..8]);
        assert!(messages.between() && !messages.many());
    }
}
