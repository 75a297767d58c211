//! How messages share a request to SNS: at most ten of them, and 256 KiB in all (SNS API reference, PublishBatch).

/// Entries of one request.
const ENTRIES: usize = 10;
/// Bytes of one request, and so of one message.
const BYTES: usize = 256 * 1024;

/// Deals out messages of these sizes, by their numbers and in order: each share is a request. Beside them those that no
/// request holds.
pub(crate) fn shares(sizes: impl IntoIterator<Item = usize>) -> (Vec<Vec<usize>>, Vec<usize>) {
    let (mut shares, mut too_large): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for (n, size) in sizes.into_iter().enumerate() {
        if size > BYTES {
            too_large.push(n);
            continue;
        }
        match shares.last_mut() {
            Some(share) if share.len() < ENTRIES && bytes + size <= BYTES => {
                share.push(n);
                bytes += size;
            }
            _ => {
                shares.push(vec![n]);
                bytes = size;
            }
        }
    }
    (shares, too_large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_holds_ten_messages_and_no_more_than_its_bytes() {
        let (requests, too_large) = shares([1; 25]);
        assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
        assert!(too_large.is_empty());
        let (requests, _) = shares([BYTES / 2, BYTES / 2, 1, BYTES]);
        assert_eq!(requests, [vec![0, 1], vec![2], vec![3]], "to the byte");
    }

    #[test]
    fn what_no_request_holds_does_not_keep_the_others_back() {
        assert_eq!(shares([7, BYTES + 1, 8]), (vec![vec![0, 2]], vec![1]));
        assert_eq!(shares([]), (vec![], vec![]));
    }
}
