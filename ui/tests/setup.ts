// What jsdom has not.
import "fake-indexeddb/auto";
