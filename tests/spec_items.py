"""The example items of the specification, word for word; only the placeholders in angle brackets and dots are filled in."""

PRODUCT = """
{
  "PK": "PRODUCT#prod-123",
  "SK": "METADATA",
  "productId": "prod-123",
  "name": "Wireless Headphones",
  "description": "Premium noise-cancelling wireless headphones",
  "price": 199.99,
  "currency": "USD",
  "category": "Electronics",
  "subCategory": "Audio",
  "brand": "TechBrand",
  "images": ["https://cdn.example.com/img1.jpg", "https://cdn.example.com/img2.jpg"],
  "inventory": 50,
  "sku": "WH-123-BLK",
  "attributes": {
    "color": "Black",
    "weight": "250g",
    "batteryLife": "30 hours"
  },
  "ratings": {
    "average": 4.5,
    "count": 128
  },
  "status": "active",
  "createdAt": "2025-01-15T10:30:00Z",
  "updatedAt": "2025-11-17T08:20:00Z"
}
"""

USER = """
{
  "PK": "USER#user-456",
  "SK": "PROFILE",
  "userId": "user-456",
  "email": "customer@example.com",
  "passwordHash": "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
  "firstName": "John",
  "lastName": "Doe",
  "phone": "+1234567890",
  "role": "customer",
  "addresses": [
    {
      "id": "addr-1",
      "type": "shipping",
      "street": "123 Main St",
      "city": "New York",
      "state": "NY",
      "zipCode": "10001",
      "country": "USA",
      "isDefault": true
    }
  ],
  "paymentMethods": [
    {
      "id": "pm-1",
      "type": "card",
      "last4": "4242",
      "brand": "visa",
      "expiryMonth": 12,
      "expiryYear": 2026,
      "isDefault": true
    }
  ],
  "status": "active",
  "createdAt": "2025-01-10T14:20:00Z",
  "lastLogin": "2025-11-17T09:15:00Z"
}
"""

CART = """
{
  "PK": "USER#user-456",
  "SK": "CART",
  "userId": "user-456",
  "items": [
    {
      "productId": "prod-123",
      "productName": "Wireless Headphones",
      "quantity": 2,
      "price": 199.99,
      "currency": "USD",
      "imageUrl": "https://cdn.example.com/img1.jpg",
      "addedAt": "2025-11-16T15:30:00Z"
    },
    {
      "productId": "prod-789",
      "productName": "USB-C Cable",
      "quantity": 3,
      "price": 12.99,
      "currency": "USD",
      "imageUrl": "https://cdn.example.com/img3.jpg",
      "addedAt": "2025-11-17T10:00:00Z"
    }
  ],
  "totals": {
    "subtotal": 438.95,
    "tax": 35.12,
    "shipping": 9.99,
    "total": 484.06,
    "currency": "USD"
  },
  "updatedAt": "2025-11-17T10:00:00Z",
  "expiresAt": 1734451200
}
"""

ORDER = """
{
  "PK": "USER#user-456",
  "SK": "ORDER#ord-7890",
  "orderId": "ord-7890",
  "userId": "user-456",
  "status": "processing",
  "items": [
    {
      "productId": "prod-123",
      "productName": "Wireless Headphones",
      "quantity": 2,
      "price": 199.99,
      "currency": "USD",
      "imageUrl": "https://cdn.example.com/img1.jpg"
    }
  ],
  "payment": {
    "method": "card",
    "transactionId": "ch_3abc123",
    "status": "completed",
    "amount": 484.06,
    "currency": "USD"
  },
  "shipping": {
    "address": {
      "street": "123 Main St",
      "city": "New York",
      "state": "NY",
      "zipCode": "10001",
      "country": "USA"
    },
    "method": "standard",
    "cost": 9.99,
    "trackingNumber": "1Z999AA10123456784",
    "estimatedDelivery": "2025-11-22T00:00:00Z"
  },
  "totals": {
    "subtotal": 438.95,
    "tax": 35.12,
    "shipping": 9.99,
    "total": 484.06,
    "currency": "USD"
  },
  "createdAt": "2025-11-17T11:30:00Z",
  "updatedAt": "2025-11-17T11:35:00Z"
}
"""
