"""Derived facts by subject. A public function is a fact; a leaf assigned to a name is a fact; both are found by their type."""
