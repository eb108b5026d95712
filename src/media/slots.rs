//! Numbered places for legs and bridges. A number that was given back and given out again is
//! told apart by its generation, so a late command never meets a stranger.

/// A growing row of places.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    /// How many are taken.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Takes a place; returns its slot and its key.
    pub(super) fn insert(&mut self, value: T) -> (u32, u64) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, value: None });
            (self.places.len() - 1) as u32
        });
        let Some(place) = self.places.get_mut(slot as usize) else { return (slot, u64::from(slot)) };
        place.generation = place.generation.wrapping_add(1);
        place.value = Some(value);
        (slot, (u64::from(place.generation) << 32) | u64::from(slot))
    }

    pub(super) fn get(&self, slot: u32) -> Option<&T> {
        self.places.get(slot as usize)?.value.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.places.get_mut(slot as usize)?.value.as_mut()
    }

    /// The slot of a key, if what it named is still there.
    pub(super) fn slot(&self, key: u64) -> Option<u32> {
        let slot = key as u32;
        let place = self.places.get(slot as usize)?;
        (place.generation == (key >> 32) as u32 && place.value.is_some()).then_some(slot)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let value = self.places.get_mut(slot as usize)?.value.take()?;
        self.free.push(slot);
        Some(value)
    }

    /// Slots that are taken.
    pub(super) fn taken(&self) -> Vec<u32> {
        (0..).zip(&self.places).filter(|(_, place)| place.value.is_some()).map(|(slot, _)| slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_does_not_open_the_new_tenant() {
        let mut slots = Slots::new();
        let (slot, first) = slots.insert('a');
        assert_eq!(slots.slot(first), Some(slot));
        assert_eq!(slots.remove(slot), Some('a'));
        assert_eq!((slots.remove(slot), slots.slot(first), slots.len()), (None, None, 0));
        let (again, second) = slots.insert('b');
        assert_eq!((again, slots.slot(first), slots.slot(second)), (slot, None, Some(slot)));
        assert_eq!((slots.get(slot), slots.taken()), (Some(&'b'), vec![slot]));
    }
}
