//! What each may take of what all share: places under bound, fair where they do not suffice.
//!
//! Whoever comes gets a place while one is free, so a team that is alone may have them all. Once none is free, whoever
//! holds the most gives up their newest to whoever would then still hold fewer; everybody else is refused. So nobody who
//! holds less than an even share is ever refused because of another, and what is let in does not grow.

use std::collections::{BTreeMap, BTreeSet};

/// At most so many places, held by owners `K`; each keeps something of type `T`.
#[derive(Debug)]
pub struct Shares<K, T> {
    most: usize,
    next: Place,
    /// In the order in which they came.
    held: BTreeMap<Place, (K, T)>,
    owners: BTreeMap<K, BTreeSet<Place>>,
}

/// Names a place: a number that is never given twice.
pub type Place = u64;

/// What became of a wish for a place.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    Free(Place),
    /// Somebody who held more gave one up.
    Instead {
        place: Place,
        of: T,
    },
    /// Everything is taken, and nobody holds more.
    Refused(T),
}

impl<K: Ord + Copy, T> Shares<K, T> {
    pub fn new(most: usize) -> Self {
        Self { most, next: 0, held: BTreeMap::new(), owners: BTreeMap::new() }
    }

    pub fn take(&mut self, owner: K, what: T) -> Taken<T> {
        if self.held.len() < self.most {
            return Taken::Free(self.put(owner, what));
        }
        let own = self.owners.get(&owner).map_or(0, BTreeSet::len);
        // Of several who hold the most, the one that comes first in their order: the same wishes end the same way.
        let richest = self.owners.values().rev().max_by_key(|places| places.len());
        let Some(newest) = richest.filter(|places| own + 1 < places.len()).and_then(BTreeSet::last).copied() else {
            return Taken::Refused(what);
        };
        let of = self.give_back(newest).expect("what is held can be given back");
        Taken::Instead { place: self.put(owner, what), of }
    }

    /// `None` if it was given up to somebody else.
    pub fn give_back(&mut self, place: Place) -> Option<T> {
        let (owner, what) = self.held.remove(&place)?;
        self.forget(owner, place);
        Some(what)
    }

    /// Takes out what came first.
    pub fn pop_first(&mut self) -> Option<T> {
        let (place, (owner, what)) = self.held.pop_first()?;
        self.forget(owner, place);
        Some(what)
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn put(&mut self, owner: K, what: T) -> Place {
        self.next += 1;
        self.held.insert(self.next, (owner, what));
        self.owners.entry(owner).or_default().insert(self.next);
        self.next
    }

    fn forget(&mut self, owner: K, place: Place) {
        let Some(places) = self.owners.get_mut(&owner) else { return };
        places.remove(&place);
        if places.is_empty() {
            self.owners.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(shares: &Shares<char, u32>, owner: char) -> usize {
        shares.owners.get(&owner).map_or(0, BTreeSet::len)
    }

    /// One owner has taken everything.
    fn hogged(most: usize) -> Shares<char, u32> {
        let mut shares = Shares::new(most);
        for n in 0..most as u32 {
            assert!(matches!(shares.take('n', n), Taken::Free(_)));
        }
        shares
    }

    #[test]
    fn whoever_is_alone_may_have_everything_and_no_more() {
        let mut shares = hogged(10);
        assert_eq!(shares.take('n', 10), Taken::Refused(10));
        assert_eq!((shares.len(), held(&shares, 'n')), (10, 10));
    }

    #[test]
    fn whoever_comes_late_gets_an_even_share_and_the_oldest_stay() {
        let mut shares = hogged(10);
        for n in 0..5 {
            assert!(matches!(shares.take('v', 100 + n), Taken::Instead { of, .. } if of == 9 - n));
        }
        assert_eq!(shares.take('v', 105), Taken::Refused(105), "an even share is enough");
        assert_eq!(shares.take('n', 10), Taken::Refused(10));
        assert_eq!((held(&shares, 'n'), held(&shares, 'v')), (5, 5));
    }

    #[test]
    fn nobody_below_an_even_share_is_refused_whatever_others_do() {
        let (most, owners) = (60, ['a', 'b', 'c', 'd', 'e', 'f']);
        let mut shares = Shares::new(most);
        for n in 0..10_000_u32 {
            // The first wants most of all; each holds on to some and gives others back.
            let owner = if n % 3 == 0 { owners[n as usize / 3 % 6] } else { 'a' };
            let poor = held(&shares, owner) < most / owners.len();
            let taken = shares.take(owner, n);
            assert!(!(poor && matches!(taken, Taken::Refused(_))), "{owner} at {n}");
            if n % 7 == 0 {
                shares.pop_first();
            }
            assert!(shares.len() <= most);
            assert_eq!(shares.owners.values().map(BTreeSet::len).sum::<usize>(), shares.len());
        }
    }

    #[test]
    fn a_place_that_was_given_up_cannot_be_given_back() {
        let mut shares = Shares::new(2);
        let (Taken::Free(_), Taken::Free(newest)) = (shares.take('n', 1), shares.take('n', 2)) else {
            panic!("both are free")
        };
        // With one more each would hold one: that is an even share.
        assert!(matches!(shares.take('v', 3), Taken::Instead { of: 2, .. }));
        assert_eq!(shares.give_back(newest), None);
        assert_eq!((shares.pop_first(), shares.pop_first(), shares.pop_first()), (Some(1), Some(3), None));
        assert!(shares.is_empty() && shares.owners.is_empty());
    }
}
